// The console in a real browser against a real hub: node steps.mjs PLAYWRIGHT URL GUARDED_URL TOKEN [SHOTS]
//
// Prints a line for each test, "ok NAME" or "not ok NAME: why". Any error on the browser's console, any
// breach of the page's policy and any exception fails the test in which it happens. With a folder SHOTS it
// leaves pictures there.
import assert from 'node:assert/strict';
import { join } from 'node:path';

const [library, url, guarded, token, shots] = process.argv.slice(2);
const { chromium } = await import(library);
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
const LIMIT = 15000;
let wrong = [];

async function open(view, { base = url, dark = false } = {}) {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, colorScheme: dark ? 'dark' : 'light' });
  page.setDefaultTimeout(LIMIT);
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && wrong.push(message.text()));
  page.on('pageerror', (error) => wrong.push(error.message));
  await page.goto(`${base}/#/${view}`);
  return page;
}

async function post(type, data, more = {}) {
  const event = { specversion: '1.0', source: '/test', type, data, ...more };
  const answer = await fetch(`${url}/v1/events?wait=10s`, { method: 'POST', body: JSON.stringify(event),
    headers: { 'Content-Type': 'application/cloudevents+json' } });
  assert.equal(answer.status, 200, await answer.clone().text());
  return answer.json();
}

async function flood(count) {
  for (let sent = 0; sent < count; sent += 500) {
    const events = Array.from({ length: 500 }, (_, i) => ({ specversion: '1.0', source: '/test', type: 'flood', id: `flood-${sent + i}`, data: {} }));
    const answer = await fetch(`${url}/v1/events`, { method: 'POST', body: JSON.stringify(events),
      headers: { 'Content-Type': 'application/cloudevents-batch+json' } });
    assert.equal(answer.status, 202);
  }
}

const picture = async (page, name) => shots && page.screenshot({ path: join(shots, `${name}.png`) });
const row = (page, text) => page.getByRole('row').filter({ hasText: text });

const tests = {
  async 'events show up as they come, and lead to their path'() {
    const page = await open('live');
    await page.getByText('Connected').waitFor();
    await post('order.created', { total: 500 }, { id: 'shown-1' });
    await row(page, 'shown-1').getByText('done').waitFor();
    await picture(page, 'live');
    await row(page, 'shown-1').getByRole('link').click();
    await page.getByRole('heading', { name: 'shown-1' }).waitFor();
    await page.getByText('"total": 500').waitFor();
    await page.getByText('every condition holds').first().waitFor();
    await picture(page, 'message');
  },

  async 'a message that failed tells why'() {
    const page = await open('live');
    await post('fax', {}, { id: 'failed-1' });
    await page.goto(`${url}/#/message/failed-1`);
    await page.getByText('fails for good, as configured').first().waitFor();
    assert.match(await page.getByRole('main').innerText(), /dead/);
  },

  async 'the filter leaves what fits and the address keeps it'() {
    const page = await open('live');
    await post('order.created', {}, { id: 'fits-1' });
    await post('other', {}, { id: 'other-1' });
    await row(page, 'fits-1').waitFor();
    await page.locator('[data-filter]').fill('type=order.*');
    await row(page, 'other-1').waitFor({ state: 'detached' });
    assert.equal(await row(page, 'fits-1').count(), 1);
    assert.match(page.url(), /type=order/);
    await page.reload();
    await row(page, 'fits-1').waitFor();
    assert.equal(await row(page, 'other-1').count(), 0);
  },

  async 'ten thousand messages are a list of which few are drawn'() {
    const page = await open('live');
    await page.getByText('Connected').waitFor();
    await flood(10000);
    await page.waitForFunction(() => /10,\d\d\d of|1\d,\d\d\d of/.test(document.body.innerText), null, { timeout: LIMIT });
    assert.ok(await page.getByRole('row').count() < 120);
    const longest = await page.evaluate(async () => {
      const box = document.querySelector('.scroll');
      let last = performance.now(), most = 0;
      for (let i = 0; i < 60; i++) {
        box.scrollTop = i * 3000;
        await new Promise(requestAnimationFrame);
        most = Math.max(most, performance.now() - last);
        last = performance.now();
      }
      return most;
    });
    console.log(`# scrolling through 10,000 messages: the longest frame took ${longest.toFixed(0)} ms`);
    assert.ok(await page.getByRole('row').count() < 120);
  },

  async 'a rule is made, refused with the lines that are wrong, saved, and rolled back'() {
    const page = await open('rules');
    await page.getByText('New rule').click();
    const text = page.getByRole('textbox', { name: 'Text of the new rule' });
    await text.fill('id: made\non: order.*\nthen:\n  - {agent: nobody, action: tell}\n');
    const save = async () => {
      await page.getByRole('button', { name: 'Review and save' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
    };
    await save();
    await page.getByText('line 4').waitFor();
    wrong = wrong.filter((line) => !line.includes('422')); // the browser tells of refused calls, too
    await picture(page, 'rule-wrong');
    await text.fill('id: made\non: order.*\nthen:\n  - {agent: log, action: tell}\n');
    await save();
    await page.getByRole('heading', { name: 'made', exact: true }).waitFor();
    const outcome = await post('order.created', {});
    assert.ok(outcome.actions.some((action) => action.rule === 'made'));
    await page.getByRole('textbox', { name: 'Text of rule made' }).fill('id: made\non: other.*\nthen:\n  - {agent: log, action: tell}\n');
    await save();
    await page.getByText('History', { exact: true }).click();
    await page.getByText('Version 1', { exact: true }).click();
    await page.getByRole('button', { name: /Roll back to version 1/ }).click();
    await picture(page, 'rule-history');
    await page.getByRole('dialog').getByRole('button', { name: 'Roll back', exact: true }).click();
    await page.getByText('Version 3', { exact: true }).waitFor();
    assert.ok((await post('order.created', {})).actions.some((action) => action.rule === 'made'));
  },

  async 'a rule of a file is read only and says where it is written'() {
    const page = await open('rules/orders');
    await page.getByText('Read only').waitFor();
    assert.ok(await page.getByRole('textbox', { name: 'Text of rule orders' }).evaluate((field) => field.readOnly));
  },

  async 'a rule is tried on an event that came, and nothing fires'() {
    const { message } = await post('order.created', { total: 7 }, { id: 'tried-1' });
    const page = await open(`rules/orders?tab=test&message=${message}`);
    await page.getByRole('textbox', { name: 'Event for the test' }).waitFor();
    await page.waitForFunction(() => document.querySelector('textarea[aria-label="Event for the test"]').value.includes('tried-1'));
    await page.getByRole('button', { name: 'Test', exact: true }).click();
    await page.getByText('orders matches').waitFor();
    await page.getByText('"total": 7').waitFor();
    await picture(page, 'tester');
  },

  async 'a feed shows how far it is, what is about what, and what is missing, and is cancelled'() {
    const answer = await fetch(`${url}/v1/requests?feed=true&slow=latest`, { method: 'POST', headers: { 'ce-type': 'rates' } });
    const { request_id: id } = await answer.json();
    const page = await open(`message/${id}`);
    const panel = page.getByRole('region', { name: 'Responses' });
    await panel.getByRole('heading', { name: 'Feed' }).waitFor();
    await panel.getByText('"rate": 2').first().waitFor();
    assert.equal(await panel.getByRole('progressbar').getAttribute('value'), '0.75');
    const text = await panel.innerText();
    assert.match(text, /EUR\/USD[^]*EUR\/GBP|EUR\/GBP[^]*EUR\/USD/);
    assert.match(text, /4 responses left out here/);
    await page.getByText('times more').waitFor();
    await picture(page, 'feed');
    await panel.getByRole('button', { name: 'Cancel the feed' }).click();
    await panel.getByText('cancelled by the client').waitFor();
    assert.equal(await panel.getByRole('button').count(), 0);
  },

  async 'an agent is paused and goes on'() {
    const page = await open('agents');
    await row(page, 'log').first().getByRole('button', { name: 'Pause' }).click();
    await row(page, 'log').first().getByText('paused').waitFor();
    await picture(page, 'agents');
    await row(page, 'log').first().getByRole('button', { name: 'Resume' }).click();
    await row(page, 'log').first().getByText('running').waitFor();
  },

  async 'dead letters are replayed after a dry run, with progress'() {
    for (let i = 0; i < 3; i++) await post('fax', {}, { id: `letter-${i}` });
    const page = await open('dead');
    await page.getByText('letter-2').waitFor();
    await picture(page, 'dead');
    await page.getByRole('button', { name: 'Replay all' }).click();
    await page.getByText('Dry run:').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: /^Replay \d/ }).click();
    await page.getByRole('progressbar').waitFor();
    await page.waitForFunction(() => { const bar = document.querySelector('dialog progress'); return bar && bar.value === bar.max; });
    await picture(page, 'replay');
  },

  async 'everything is reached by the keyboard'() {
    await post('order.created', {}, { id: 'keyed-1' });
    const page = await open('agents');
    await page.getByRole('heading', { name: 'Agents' }).waitFor();
    await page.keyboard.press('g');
    await page.keyboard.press('l');
    await row(page, 'keyed-1').waitFor();
    await page.keyboard.press('/');
    assert.ok(await page.locator('[data-filter]').evaluate((field) => field === document.activeElement));
    await page.keyboard.type('keyed-1');
    await page.waitForFunction(() => /keyed/.test(location.hash));
    await page.keyboard.press('Escape');
    await row(page, 'keyed-1').waitFor();
    await page.locator('.scroll').focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'keyed-1' }).waitFor();
    await page.keyboard.press('?');
    await page.getByText('to the filter').waitFor();
    await page.keyboard.press('Escape');
  },

  async 'it is readable in the dark and in the light'() {
    const contrast = async (dark) => {
      const page = await open('agents', { dark });
      await row(page, 'log').first().waitFor();
      await picture(page, dark ? 'dark' : 'light');
      return page.evaluate(() => {
        const shine = (colour) => {
          const [r, g, b] = colour.match(/[\d.]+/g).map(Number).slice(0, 3).map((part) => part / 255)
            .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
          return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        const behind = (node) => {
          const colour = getComputedStyle(node).backgroundColor;
          return /, 0\)|transparent/.test(colour) && node.parentElement ? behind(node.parentElement) : colour;
        };
        const worst = [...document.querySelectorAll('main *, header *')].filter((node) => node.children.length === 0 && node.textContent.trim() && node.checkVisibility())
          .map((node) => { const [a, b] = [shine(getComputedStyle(node).color), shine(behind(node))].sort((x, y) => y - x); return [(a + 0.05) / (b + 0.05), node.textContent]; });
        return worst.sort((a, b) => a[0] - b[0])[0];
      });
    };
    for (const dark of [false, true]) {
      const [ratio, text] = await contrast(dark);
      assert.ok(ratio >= 4.5, `"${text}" has a contrast of ${ratio.toFixed(2)} in ${dark ? 'dark' : 'light'}`);
    }
  },

  async 'an event is posted from the page and followed'() {
    const page = await open('live');
    await page.getByText('Post event').click();
    const text = page.getByRole('textbox', { name: 'Event', exact: true });
    await text.fill(JSON.stringify({ specversion: '1.0', id: 'typed-1', source: 'page', type: 'order.created', data: {} }));
    await text.press('Control+Enter');
    await page.getByRole('heading', { name: 'typed-1' }).waitFor();
  },

  async 'a hub with tokens asks for one, and says so when it is wrong'() {
    const page = await open('agents', { base: guarded });
    const field = page.getByLabel('Token');
    await field.fill('atamo_wrong_token');
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByText("nobody's").waitFor();
    await field.fill(token);
    await page.getByRole('button', { name: 'Continue' }).click();
    await row(page, 'log').first().waitFor();
    assert.equal(await page.evaluate(() => Object.keys(localStorage).filter((key) => /token/.test(key)).length), 0);
    wrong = wrong.filter((line) => !line.includes('401'));
  },

  async 'nothing is loaded from elsewhere'() {
    const page = await browser.newPage();
    const seen = [];
    page.on('request', (request) => seen.push(new URL(request.url()).origin));
    await page.goto(`${url}/#/live`);
    await page.getByText('Connected').waitFor();
    assert.deepEqual([...new Set(seen)], [url]);
  },
};

let failed = 0;
for (const [name, test] of Object.entries(tests)) {
  wrong = [];
  try {
    await test();
    assert.deepEqual(wrong, []);
    console.log(`ok ${name}`);
  } catch (problem) {
    failed++;
    console.log(`not ok ${name}: ${problem.message.split('\n').slice(0, 12).join('\n    ')}`);
  }
  for (const context of browser.contexts()) await context.close();
}
await browser.close();
process.exit(failed ? 1 : 0);
