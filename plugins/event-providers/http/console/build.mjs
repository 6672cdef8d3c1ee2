// Writes the files that are served: `node build.mjs NODE_MODULES OUT` copies web/ to OUT and puts the vendor
// modules into OUT/vendor, with relative imports in place of bare ones, because the page has no import map.
//
// The same inputs give the same bytes. It fails when a vendor file has an import that it does not expect.
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [modules, out] = process.argv.slice(2);
if (!modules || !out) {
  console.error('usage: node build.mjs NODE_MODULES OUT');
  process.exit(2);
}
const web = join(dirname(fileURLToPath(import.meta.url)), 'web');
const read = (name) => readFileSync(join(modules, name), 'utf8');
const withoutMap = (text) => text.replace(/^\/\/# sourceMappingURL=.*$/m, '').trimEnd() + '\n';

/* Each specifier in `imports` once; any other import is an error. */
function rewrite(name, text, imports) {
  return text.replace(/\bfrom\s*["']([^"']+)["']/g, (whole, specifier) => {
    if (!imports[specifier]) throw new Error(`${name}: import of "${specifier}"`);
    return `from"${imports[specifier]}"`;
  });
}

const vendor = {
  'preact.js': rewrite('preact', read('preact/dist/preact.mjs'), {}),
  'hooks.js': rewrite('hooks', read('preact/hooks/dist/hooks.mjs'), { preact: './preact.js' }),
  'htm.js': rewrite('htm', read('htm/dist/htm.module.js'), {}),
  'uplot.js': `${read('uplot/dist/uPlot.iife.min.js').trimEnd()}\nexport default uPlot;\n`,
  'uplot.css': read('uplot/dist/uPlot.min.css'),
};

rmSync(out, { recursive: true, force: true });
cpSync(web, out, { recursive: true });
mkdirSync(join(out, 'vendor'), { recursive: true });
for (const [name, text] of Object.entries(vendor)) {
  writeFileSync(join(out, 'vendor', name), name.endsWith('.js') ? withoutMap(text) : text);
}
const licences = ['preact', 'htm', 'uplot'].map(
  (name) => `${name} ${JSON.parse(read(`${name}/package.json`)).version}\n\n${read(`${name}/LICENSE`).trim()}\n`);
writeFileSync(join(out, 'vendor', 'licences.txt'), licences.join('\n\n'));
