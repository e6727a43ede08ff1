/**
 * Builds the page: a folder of static files with relative addresses, and the same as one file that needs no server.
 * @module
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build } from 'esbuild';
import { renderToString } from 'katex';
import { answerValues, inside, lessons, list } from './lessons/render.node.ts';
import { objectives, regularizers } from './setup/choices.ts';

const here = fileURLToPath(new URL('.', import.meta.url));

/** What was built, by name in the folder. */
export interface Built {
  /** The page in files. */
  readonly site: ReadonlyMap<string, string>;
  /** The page in one file. */
  readonly single: string;
  /** Script and worker as they are in both, for those who weigh them. */
  readonly page: string;
  readonly worker: string;
}

/** Each formula that the page may show, as HTML and MathML. */
function formulas(): Record<string, string> {
  const all = [
    ...Object.values(objectives).flatMap(({ critic, generator }) => [critic, generator]),
    ...Object.values(regularizers).flatMap(({ term, does }) => [term, does].filter((tex) => tex !== undefined)),
  ];
  return Object.fromEntries(
    all.map((tex) => [tex, renderToString(tex, { output: 'htmlAndMathml', throwOnError: true })]),
  );
}

/** The fonts that formulas of the page use, of the twenty that KaTeX has. */
const FONTS = ['Main-Regular', 'Math-Italic', 'AMS-Regular', 'Size1-Regular', 'Size2-Regular'];

/** KaTeX's style with these fonts in it. */
function formulaStyle(): string {
  const folder = dirname(createRequire(import.meta.url).resolve('katex/dist/katex.min.css'));
  const css = readFileSync(join(folder, 'katex.min.css'), 'utf8');
  return css.replace(/@font-face\{[^}]*\}/g, (face) => {
    const name = /fonts\/KaTeX_([\w-]+)\.woff2/.exec(face)?.[1];
    if (name === undefined || !FONTS.includes(name)) return '';
    const font = readFileSync(join(folder, 'fonts', `KaTeX_${name}.woff2`)).toString('base64');
    return face.replace(/src:[^}]*/, `src:url(data:font/woff2;base64,${font}) format("woff2")`);
  });
}

async function bundled(entry: string, options: BuildOptions): Promise<{ script: string; style: string }> {
  const { outputFiles } = await build({
    absWorkingDir: join(here, '..'),
    entryPoints: [join(here, entry)],
    outdir: 'out',
    bundle: true,
    minify: true,
    platform: 'browser',
    target: 'chrome113',
    write: false,
    legalComments: 'none',
    logLevel: 'warning',
    logOverride: { 'empty-import-meta': 'silent' }, // the engine asks for it, and takes an answer without
    ...options,
  });
  const text = (end: string): string => outputFiles!.find(({ path }) => path.endsWith(end))?.text ?? '';
  return { script: text('.js'), style: text('.css') };
}

const hashed = (name: string, text: string, end: string): string =>
  `${name}-${createHash('sha256').update(text).digest('hex').slice(0, 10)}.${end}`;

/** The lessons as pages in a folder beside the page; they are read without JavaScript too. */
async function lessonPages(formulas: string, pageStyle: string): Promise<Map<string, string>> {
  const all = lessons(await answerValues(), '../index.html');
  const { script, style } = await bundled('lessons/script.ts', { format: 'iife' });
  const names = {
    style: hashed('lesson', formulas + pageStyle + style, 'css'),
    script: hashed('lesson', script, 'js'),
  };
  const whole = (title: string, inner: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${names.style}">
</head>
<body>
${inner}
<script src="${names.script}"></script>
</body>
</html>
`;
  const address = (name: string): string => `${name || 'index'}.html`;
  return new Map([
    [`lessons/${names.style}`, formulas + pageStyle + style],
    [`lessons/${names.script}`, script],
    ['lessons/index.html', whole('Lessons on GANs', list(all, address, '../index.html'))],
    ...all.map(
      ({ name, title }, i) => [`lessons/${name}.html`, whole(title, inside(all, i, address, '../index.html'))] as const,
    ),
  ]);
}

const html = (style: string, worker: string, script: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>wgrad playground</title>
<link rel="icon" href="data:,">
${style}
</head>
<body>
<div id="page"></div>
<noscript>This page trains networks in your browser, and needs JavaScript for it.</noscript>
${worker}
${script}
</body>
</html>
`;

/** Builds page and worker. */
export async function buildPlayground(): Promise<Built> {
  const [page, { script: worker }] = await Promise.all([
    bundled('page/main.tsx', { format: 'iife', define: { FORMULAS: JSON.stringify(formulas()) } }),
    bundled('worker/worker.ts', { format: 'iife' }),
  ]);
  const style = formulaStyle() + page.style;
  const names = {
    style: hashed('page', style, 'css'),
    script: hashed('page', page.script, 'js'),
    worker: hashed('worker', worker, 'js'),
  };
  const site = new Map([
    ...(await lessonPages(formulaStyle(), page.style)),
    [names.style, style],
    [names.script, page.script],
    [names.worker, worker],
    [
      'index.html',
      html(
        `<link rel="stylesheet" href="${names.style}">`,
        `<script id="worker" type="text/plain" data-src="${names.worker}"></script>`,
        `<script src="${names.script}"></script>`,
      ),
    ],
  ]);
  const single = html(
    `<style>${style}</style>`,
    `<script id="worker" type="text/plain">${worker}</script>`,
    `<script>${page.script}</script>`,
  );
  return { site, single, page: page.script, worker };
}

/** Writes both into a folder, in the place of what was there. */
export async function writePlayground(folder: string): Promise<void> {
  const { site, single } = await buildPlayground();
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, 'lessons'), { recursive: true });
  for (const [name, text] of site) writeFileSync(join(folder, name), text);
  writeFileSync(join(folder, 'wgrad-playground.html'), single);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writePlayground(join(here, '..', 'dist', 'playground'));
