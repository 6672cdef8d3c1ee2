// Starts the console.
import { html, render } from './html.js';
import { start } from './feed.js';
import { App } from './app.js';

start();
render(html`<${App} />`, document.getElementById('console'));
