/**
 * Makes pages of the lessons' texts: markdown with a head, formulas between dollar signs, and lines that stand for a figure, a panel
 * of the playground or a number to hand in.
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { renderToString } from 'katex';
import { marked } from 'marked';
import { init } from '../../engine/index.ts';
import { figures } from '../figures/figures.ts';
import { answers } from './answers.ts';

const folder = fileURLToPath(new URL('.', import.meta.url));

/** A lesson, or a page beside them. */
export interface Lesson {
  /** The file's name without its end. */
  readonly name: string;
  readonly title: string;
  readonly question: string;
  readonly source: string;
  /** The body as HTML. */
  readonly html: string;
}

/** What the pages show of each answer. */
type Values = ReadonlyMap<string, readonly number[]>;

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** name="value" pairs of a line. */
const fieldsOf = (text: string): Readonly<Record<string, string>> =>
  Object.fromEntries([...text.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name!, value!]));

function figureOf(name: string, caption: string): string {
  const figure = figures[name];
  if (!figure)
    throw new Error(`a lesson asks for the figure '${name}', which is none of ${Object.keys(figures).join(', ')}`);
  const { title, least, most, step, usual, draw } = figure;
  const { svg, says } = draw(usual);
  return `<figure data-figure="${name}"><div class="drawn">${svg}</div><label>${title}<input type="range" min="${least}" max="${most}" step="${step}" value="${usual}" disabled></label><output>${says}</output><figcaption class="small">${caption}</figcaption></figure>`;
}

function answerOf(id: string, label: string, values: Values): string {
  const [answer, value] = [answers[id], values.get(id)];
  if (!answer || !value) throw new Error(`a lesson asks for the answer '${id}', which answers.ts lacks`);
  const { tolerance, right, wrong } = answer;
  return `<form id="answer-${id}" data-value="${JSON.stringify(value)}" data-tolerance="${tolerance}" data-right="${escaped(right)}" data-wrong="${escaped(wrong)}"><label>${label}<br><input autocomplete="off" inputmode="text"></label> <button disabled>Check</button><output></output></form>`;
}

/** A line that stands for something, as HTML. @param playground the address of the playground, up to its # */
function directive(kind: string, text: string, values: Values, playground: string): string {
  const { name, panel, link = '', caption = '', id, label } = fieldsOf(text);
  if (kind === 'answer') return answerOf(id!, label!, values);
  if (name) return figureOf(name, caption);
  return `<figure data-panel="${panel}"><p><a href="${playground}#embed=${escaped(`${panel}${link && `&${link}`}`)}">${caption}</a></p></figure>`;
}

/** A formula on a line of its own: too wide for a phone it scrolls, and so the keyboard has to reach it. */
const wideFormula = (tex: string): string =>
  `<div class="wide" role="group" tabindex="0" aria-label="Formula">${renderToString(tex, { displayMode: true, throwOnError: true })}</div>`;

/** Markdown as HTML. */
function bodyOf(text: string, values: Values, playground: string): string {
  const kept: string[] = [];
  // Markdown must not read what is HTML already.
  const keep = (html: string): string => `KEPT${kept.push(html) - 1}KEPT`;
  const plain = text
    .replace(/^::(figure|answer)\{(.*)\}$/gm, (_, kind: string, of: string) =>
      keep(directive(kind, of, values, playground)),
    )
    .replace(/\$\$([\s\S]+?)\$\$/g, (_, tex: string) => keep(wideFormula(tex)))
    .replace(/\$([^$\n]+)\$/g, (_, tex: string) => keep(renderToString(tex, { throwOnError: true })));
  return (marked.parse(plain, { async: false }) as string)
    .replace(/<p>(KEPT\d+KEPT)<\/p>/g, '$1')
    .replace(/KEPT(\d+)KEPT/g, (_, i: string) => kept[Number(i)]!);
}

/** Every answer as numbers, computed in float64. */
export async function answerValues(): Promise<Values> {
  await init({ adapter: 'reference' });
  const all = new Map<string, readonly number[]>();
  for (const [id, { value }] of Object.entries(answers)) all.set(id, [await value()].flat() as number[]);
  return all;
}

/** All lessons in their order, and the teacher's page last. */
export function lessons(values: Values, playground: string): readonly Lesson[] {
  const names = readdirSync(folder)
    .filter((name) => name.endsWith('.md'))
    .sort();
  return names.map((file) => {
    const text = readFileSync(join(folder, file), 'utf8');
    const [, head, body] = /^---\n([\s\S]*?)\n---\n([\s\S]*)$/.exec(text) ?? [];
    if (head === undefined) throw new Error(`playground/lessons/${file} begins with no head between two lines of ---`);
    const {
      title = '',
      question = '',
      source = '',
    } = Object.fromEntries(
      head.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
    );
    return { name: file.slice(0, -3), title, question, source, html: bodyOf(body!, values, playground) };
  });
}

/** The inside of a lesson's page. @param address the address of a lesson by its name, or of the list by '' */
export function inside(
  all: readonly Lesson[],
  at: number,
  address: (name: string) => string,
  playground: string,
): string {
  const { title, question, source, html } = all[at]!;
  const way = (to: Lesson | undefined, says: string): string =>
    to ? `<a href="${address(to.name)}">${says}: ${to.title}</a>` : '';
  return `<main class="lesson"><nav aria-label="Lessons"><a href="${address('')}">All lessons</a><a href="${playground}">Playground</a></nav>
<h1>${title}</h1><p class="question"><strong>${question}</strong></p>${html}
<p class="small">Follows: ${source}</p><nav aria-label="Next">${way(all[at - 1], 'Before')}${way(all[at + 1], 'Next')}</nav></main>`;
}

/** The inside of the list. */
export const list = (all: readonly Lesson[], address: (name: string) => string, playground: string): string =>
  `<main class="lesson"><nav aria-label="Pages"><a href="${playground}">Playground</a></nav><h1>Lessons on GANs</h1><ul>${all
    .map(({ name, title, question }) => `<li><a href="${address(name)}">${title}</a><br>${question}</li>`)
    .join('')}</ul></main>`;
