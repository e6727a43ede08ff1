import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { objectiveNames, optimizerNames, regularizer, regularizerNames } from '../../gan/index.ts';
import { estimates } from '../../gan/objectives/objective.ts';
import {
  namesIn,
  objectives,
  optimizerTitles,
  regularizers,
  estimates as words,
} from '../../playground/setup/choices.ts';
import { checkedSetup, entries, setupNames, usualSetup } from '../../playground/setup/entries.ts';
import { isReached, parseGoal } from '../../playground/setup/goal.ts';
import { readLink, usualView, writeLink } from '../../playground/setup/link.ts';
import { onGrid, parseTable, readPoints, writePoints } from '../../playground/setup/points.ts';
import type { Entry, Setup } from '../../playground/setup/setup.ts';
import { numbers } from '../support/values.ts';

/** Some value that a setting may have. */
function someValue(entry: Entry<unknown>, next: () => number): unknown {
  const { bounds, choices, offers } = entry;
  if (choices) return choices[Math.floor(next() * choices.length)];
  if (offers && next() < 0.5) return offers[Math.floor(next() * offers.length)];
  if (bounds) {
    const value = bounds[0] + next() * (bounds[1] - bounds[0]);
    return entry.range.holds(value) ? value : Math.round(value);
  }
  if (entry.key === 'b') return [next(), next()];
  if (entry.key === 'x') return Array.from({ length: 2 * (1 + Math.floor(next() * 50)) }, () => onGrid(6 * next() - 3));
  return namesIn(regularizers)
    .filter(() => next() < 0.4)
    .map((name) => (regularizers[name].strength && next() < 0.7 ? `${name}=${next() * 100}` : name));
}

const someSetup = (next: () => number): Setup =>
  Object.fromEntries(
    setupNames.map((name) => [
      name,
      next() < 0.5 ? usualSetup[name] : someValue(entries[name] as Entry<unknown>, next),
    ]),
  ) as unknown as Setup;

test('points of a table: headings are left out, the rest fits the square, and what is no table is said', () => {
  const { points, note } = parseTable('x,y\n0,0\n10; 5\r\n10\t10\n\n1 2 3');
  assert.equal(
    points.map((v) => Number(v.toFixed(3))),
    [-2, -2, 2, 0, 2, 2, -1.6, -1.2],
  );
  assert.is(note, '4 points, scaled by 0.400');
  assert.equal(parseTable('nothing').points, []);
  const many = parseTable(Array.from({ length: 5000 }, (_, i) => `${i},${i % 7}`).join('\n'));
  assert.is(many.points.length / 2, 556);
  assert.match(many.note, '556 points of 5000, every 9th');
  assert.equal(readPoints(writePoints(many.points)), many.points);
  for (const text of ['x', '====', writePoints(many.points).slice(1), 'AAA'])
    assert.is(readPoints(text), undefined, text);
});

test('an empty link is the usual page', () => {
  const read = readLink('');
  assert.equal(read, { setup: usualSetup, view: usualView, unknown: [], notes: [] });
  assert.is(writeLink(read), '');
});

test('what is written is read again, of 500 setups', () => {
  const next = numbers(1);
  for (let i = 0; i < 500; i++) {
    const setup = checkedSetup(someSetup(next));
    const view = {
      layers: next() < 0.5 ? undefined : ['real', 'slopes'].filter(() => next() < 0.5),
      hide: ['width', 'formula'].filter(() => next() < 0.3),
      lock: ['seed'].filter(() => next() < 0.3),
      panel: next() < 0.8 ? undefined : 'tape',
      embed: next() < 0.8 ? undefined : 'plane',
      goal: next() < 0.8 ? undefined : 'modes>=8',
      until: next() < 0.8 ? undefined : 1 + Math.floor(next() * 1000),
      device: next() < 0.8 ? undefined : 'reference',
    };
    const unknown = next() < 0.8 ? [] : ([['later', 'a=b&c d,%']] as const);
    const link = writeLink({ setup, view, unknown });
    const read = readLink(`#${link}`);
    assert.equal(read.setup, setup, link);
    assert.equal(read.view, view, link);
    assert.equal(read.unknown, unknown, link);
    assert.is(writeLink(read), link);
  }
});

test('any text is read without an error, to a setup that holds', () => {
  const next = numbers(2);
  const keys = [...setupNames.map((name) => entries[name].key), 'v', 'show', 'hide', 'until', '__proto__', ''];
  const texts = [
    '',
    '0',
    '-1',
    '1e999',
    'NaN',
    '3.5',
    'ring',
    'x',
    ',',
    'r1=',
    'r1=0',
    'gradient-penalty=1=2',
    '%',
    '%E0%A4%A',
    '0.5,0.9',
    '1,1',
  ];
  for (let i = 0; i < 2000; i++) {
    const parts = Array.from({ length: Math.floor(next() * 5) }, () => {
      const pick = (list: readonly string[]): string => list[Math.floor(next() * list.length)]!;
      return `${pick(keys)}=${pick(texts)}`;
    });
    const { setup } = readLink(`#${parts.join('&')}`);
    checkedSetup(setup);
    assert.equal(Object.keys(setup), setupNames as string[], parts.join('&'));
  }
});

test('values out of range are held to it, and said; unknown names are kept, and said', () => {
  const { setup, notes, unknown } = readLink('#m=99&n=1.5&s=abc&d=cube&zz=1&v=2&until=0');
  assert.is(setup.modes, 16);
  assert.is(setup.batch, 2);
  assert.is(setup.sigma, usualSetup.sigma);
  assert.is(setup.data, 'ring');
  assert.equal(unknown, [['zz', '1']]);
  assert.is(notes.length, 7);
  assert.match(notes[0]!, 'Modes: 99 became 16; it is a whole number from 1 to 16');
});

test('keys of settings are different, and none is one of the view', () => {
  const keys = setupNames.map((name) => entries[name].key);
  assert.is(new Set(keys).size, keys.length);
  for (const key of ['v', 'show', 'hide', 'lock', 'panel', 'embed', 'goal', 'until', 'device'])
    assert.not(keys.includes(key));
});

test("the page's words are those of the library: names, and usual strengths", () => {
  assert.equal(Object.keys(words).sort(), estimates.map(({ name }) => name).sort());
  assert.equal([...namesIn(objectives)].sort(), [...objectiveNames].sort());
  assert.equal([...namesIn(optimizerTitles)].sort(), [...optimizerNames].sort());
  assert.equal([...namesIn(regularizers)].sort(), [...regularizerNames].sort());
  for (const name of regularizerNames) assert.is(regularizers[name].strength?.[1], regularizer(name).strength, name);
});

test('goals: what they are, and when they are reached', () => {
  assert.equal(parseGoal('modes>=8'), { name: 'modes', sign: '>=', number: 8 });
  assert.equal(parseGoal(' distance<=0.25 '), { name: 'distance', sign: '<=', number: 0.25 });
  for (const text of ['', 'modes', 'modes>8', 'modes>=', 'modes>= ', '>=8', 'modes>=x'])
    assert.is(parseGoal(text), undefined);
  assert.ok(isReached(parseGoal('modes>=8')!, { modes: 8 }));
  assert.not(isReached(parseGoal('modes>=8')!, { modes: 7 }));
  assert.not(isReached(parseGoal('modes>=0')!, {}), 'what is not there reaches nothing');
  assert.not(isReached(parseGoal('distance<=1')!, { distance: Number.NaN }));
});

test.run();
