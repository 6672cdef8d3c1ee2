// One rule: its text, a test, and its history. What a file of the configuration holds can only be read.
import { html, useEffect, useState } from '../html.js';
import { getWithTag, send } from '../api.js';
import { say } from '../announce.js';
import { useAction, useLoad } from '../load.js';
import { go, link } from '../router.js';
import { Ago, Field, Loaded, Number as Figure, Problem, Tabs } from '../parts/basics.js';
import { Dialog } from '../parts/dialog.js';
import { Diff } from '../parts/diff.js';
import { Editor } from '../parts/editor.js';
import { History } from '../parts/history.js';
import { Tester } from '../parts/tester.js';

const TABS = [['text', 'Text'], ['test', 'Test'], ['history', 'History']];
const path = (id) => `rules/${encodeURIComponent(id)}`;

/* Shows the difference and asks why, then saves. */
function Review({ id, before, text, etag, onClose, onSaved, onRefused }) {
  const [busy, problem, run] = useAction();
  const save = async (event) => {
    event.preventDefault();
    const why = event.target.elements.why.value;
    const headers = etag ? { 'If-Match': etag } : { 'If-None-Match': '*' };
    const done = await run(() => send('PUT', path(id), { query: { why }, body: text, type: 'application/yaml', headers })
      .catch((wrong) => {
        onRefused(wrong);
        throw wrong;
      }));
    if (done) onSaved(done);
  };
  return html`<${Dialog} title=${etag ? `Save ${id}` : `Make ${id}`} onClose=${onClose} wide><form onSubmit=${save}>
    <${Diff} before=${before} after=${text} /><${Problem} of=${problem} />
    <${Field} label="Why" hint="Kept in the rule's history."><input name="why" autocomplete="off" data-first /><//>
    <div class="buttons"><button type="button" onClick=${onClose}>Go on editing</button><button class="primary" disabled=${busy}>Save</button></div>
  </form><//>`;
}

function Remove({ id, onClose }) {
  const [busy, problem, run] = useAction();
  const remove = async () => {
    if (await run(() => send('DELETE', path(id)))) {
      say(`Rule ${id} is deleted`);
      go(['rules']);
    }
  };
  return html`<${Dialog} title="Delete ${id}?" onClose=${onClose}>
    <p>No new event will be tried against it. What it has started goes on.</p><${Problem} of=${problem} />
    <div class="buttons"><button type="button" onClick=${onClose} data-first>Keep</button>
      <button type="button" class="danger" disabled=${busy} onClick=${remove}>Delete</button></div><//>`;
}

/* The editor of a rule that may be changed; `review` and `remove` are windows over it. */
function Text({ id, rule, etag, text, setText, onSaved }) {
  const [open, setOpen] = useState(''), [refused, setRefused] = useState(null);
  const dirty = text !== rule.source;
  const edit = (value) => {
    setText(value);
    setRefused(null);
  };
  const review = () => dirty && setOpen('review');
  const refuse = (problem) => {
    setRefused(problem);
    if (problem.errors.length) setOpen('');
  };
  return html`<${Editor} value=${text} onInput=${edit} errors=${refused?.errors ?? []} readOnly=${!rule.editable} label="Text of rule ${id}" onSubmit=${review} />
    <${Problem} of=${refused && { ...refused, message: refused.message, errors: [] }} />
    ${rule.editable && html`<div class="buttons">
      <button type="button" class="danger left" onClick=${() => setOpen('remove')}>Delete…</button>
      <button type="button" disabled=${!dirty} onClick=${() => edit(rule.source)}>Undo changes</button>
      <button type="button" class="primary" disabled=${!dirty} onClick=${review}>Review and save…</button></div>`}
    ${open === 'review' && html`<${Review} id=${id} before=${rule.source} text=${text} etag=${etag} onClose=${() => setOpen('')} onRefused=${refuse}
      onSaved=${(saved) => { setOpen(''); onSaved(saved); }} />`}
    ${open === 'remove' && html`<${Remove} id=${id} onClose=${() => setOpen('')} />`}`;
}

function Head({ rule }) {
  const kept = rule.provider ? html`provider ${rule.provider}` : html`${rule.file}:${rule.line}`;
  return html`<header class="head"><p class="crumb"><a href="#/rules">Rules</a> / rule</p><h1>${rule.id}</h1>
    <dl class="facts-line"><div><dt>Events</dt><dd>${rule.on.map((type) => html`<a class="tag" href=${link(['live'], { type })}>${type}</a>`)}</dd></div>
      <div><dt>Hits</dt><dd><${Figure} of=${rule.hits} href=${link(['live'], { rule: rule.id })} /></dd></div>
      <div><dt>Last match</dt><dd><${Ago} us=${rule.last_match_us} /></dd></div>
      <div><dt>Dead letters</dt><dd><a href=${link(['dead'], { rule: rule.id })}>of this rule</a></dd></div></dl>
    ${!rule.editable && html`<p class="note">Read only: this rule is written in <strong>${kept}</strong>. Change it there and reload the hub.</p>`}</header>`;
}

export function Rule({ id, query }) {
  const state = useLoad((signal) => getWithTag(path(id), signal), [id]);
  const [text, setText] = useState(null), tab = query.tab ?? 'text';
  useEffect(() => {
    if (state.data && text === null) setText(state.data.data.source);
  }, [state.data]);
  const saved = (what) => {
    say(what);
    setText(null);
    state.reload();
  };
  return html`<${Loaded} from=${state}>${({ data: rule, etag }) => html`<${Head} rule=${rule} />
    <${Tabs} names=${TABS} current=${tab} href=${(key) => link(['rules', id], { tab: key === 'text' ? '' : key })} />
    ${tab === 'text' && html`<${Text} id=${id} rule=${rule} etag=${etag} text=${text ?? rule.source} setText=${setText} onSaved=${() => saved(`Rule ${id} is saved`)} />`}
    ${tab === 'test' && html`<${Tester} text=${text ?? rule.source} changed=${text !== null && text !== rule.source} id=${id} message=${query.message} />`}
    ${tab === 'history' && html`<${History} id=${id} source=${rule.source} editable=${rule.editable} onBack=${(version) => saved(`Rule ${id} is back at version ${version}`)} />`}`}<//>`;
}

const FIRST = 'id: new-rule\non: order.created\nthen:\n  - {agent: AGENT, action: ACTION}\n';

export function NewRule() {
  const [text, setText] = useState(FIRST), id = text.match(/^id:\s*["']?([^"'\s#]+)/m)?.[1] ?? '';
  const [open, setOpen] = useState(false), [refused, setRefused] = useState(null);
  const refuse = (problem) => {
    setRefused(problem);
    if (problem.errors.length) setOpen(false);
  };
  return html`<header class="head"><p class="crumb"><a href="#/rules">Rules</a> / new</p><h1>New rule</h1></header>
    <${Editor} value=${text} onInput=${(value) => { setText(value); setRefused(null); }} errors=${refused?.errors ?? []} label="Text of the new rule" onSubmit=${() => id && setOpen(true)} />
    <${Problem} of=${refused && { ...refused, message: refused.message, errors: [] }} />
    <div class="buttons"><button type="button" class="primary" disabled=${!id} onClick=${() => setOpen(true)}>Review and save…</button></div>
    <${Tester} text=${text} changed id=${id} />
    ${open && html`<${Review} id=${id} before="" text=${text} onClose=${() => setOpen(false)} onRefused=${refuse}
      onSaved=${() => { say(`Rule ${id} is made`); go(['rules', id]); }} />`}`;
}
