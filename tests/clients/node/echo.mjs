#!/usr/bin/env node
// Answers every action with its own body.
import { done, run } from "./atamo_worker.mjs";

run((action) => done(action.body));
