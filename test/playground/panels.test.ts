/** What the tape panel and the convolution panel show, as the worker makes it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { init } from '../../engine/index.ts';
import { type Convolution, outSize, resized } from '../../playground/convolution/convolution.ts';
import { convolve } from '../../playground/convolution/convolve.ts';
import { lecture } from '../../playground/convolution/lecture.ts';
import { usualSetup } from '../../playground/setup/entries.ts';
import { record } from '../../playground/tape/record.ts';
import { ruleOf } from '../../playground/tape/rules.ts';
import { BOX, FIRST, type Recording, type Subject, subjects } from '../../playground/tape/subjects.ts';
import { Trial } from '../../playground/trial/trial.ts';

const test = suite('playground panels');
test.before(async () => void (await init({ adapter: 'reference' })));

const small = { ...usualSetup, width: 4, depth: 1, criticWidth: 4, criticDepth: 1, batch: 8, latent: 2 };
const resultOf = ({ nodes }: Recording) => nodes.at(-1)!.value!.first[0]!;

test('x·x·x at 3 and its derivatives: 27, 27, 18, and 6 at the end', async () => {
  const of = async (subject: Subject) => {
    const r = await record(subject, undefined);
    return [resultOf(r), r.gradients[0]!.gradient.first[0]];
  };
  assert.equal(await of('cube'), [27, 27]);
  assert.equal(await of('slope'), [27, 18]);
  assert.equal(await of('bend'), [18, 6]);
});

test('the cotangents that flow into a parameter sum to what grad gives', async () => {
  const trial = new Trial(small);
  for (const subject of Object.keys(subjects) as Subject[]) {
    const { steps, gradients } = await record(subject, trial);
    assert.ok(steps.length > 0 && gradients.length > 0, subject);
    for (const { id, gradient } of gradients) {
      const parts = steps.flatMap(({ outgoing }) => outgoing.filter((o) => o.id === id));
      gradient.first.forEach((g, i) => {
        const sum = parts.reduce((total, { cotangent }) => total + cotangent.first[i]!, 0);
        assert.ok(Math.abs(sum - g) <= 1e-9 * (1 + Math.abs(g)), `${subject}: %${id}[${i}] ${sum} is not ${g}`);
      });
    }
  }
});

test('each step has what flowed into its entry before, and a rule of its own', async () => {
  const { nodes, steps } = await record('critic', new Trial(small));
  const flowed = new Map<number, number[]>([[nodes.at(-1)!.id, [1]]]);
  for (const { id, incoming, outgoing, rule } of steps) {
    incoming?.first.forEach((g, i) => {
      assert.ok(Math.abs(g - flowed.get(id)![i]!) < 1e-9, `%${id}`);
    });
    for (const o of outgoing) {
      const before = flowed.get(o.id) ?? o.cotangent.first.map(() => 0);
      flowed.set(
        o.id,
        o.cotangent.first.map((g, i) => g + before[i]!),
      );
    }
    assert.is.not(rule, '');
  }
});

test('every op of the losses has its rule in words', async () => {
  const trial = new Trial(small);
  for (const subject of Object.keys(subjects) as Subject[]) {
    const { nodes } = await record(subject, trial);
    const without = nodes.flatMap(({ op }) => (op && ruleOf(op).startsWith('each input receives') ? [op] : []));
    assert.equal([...new Set(without)], [], subject);
  }
});

test('entries of a backward pass inside the loss are marked: in a gradient penalty, and in no loss without one', async () => {
  const second = async (regularizers: readonly string[]) =>
    (await record('critic', new Trial({ ...small, regularizers }))).nodes.filter(({ from }) => from).length;
  assert.ok((await second(['gradient-penalty'])) >= 3);
  assert.is(await second([]), 0);
});

test('no box lies on another, values are short, and a batch is at most 8', async () => {
  const { nodes, width, height } = await record('critic', new Trial({ ...small, batch: 64 }));
  for (const a of nodes) {
    assert.ok(a.x > 0 && a.x < width && a.y > 0 && a.y < height);
    assert.ok((a.value?.first.length ?? 0) <= FIRST);
    for (const b of nodes)
      if (a !== b) assert.ok(Math.abs(a.x - b.x) >= BOX.width || Math.abs(a.y - b.y) >= BOX.height);
  }
  assert.ok(nodes.every(({ shape, name }) => name !== 'real' || shape[0]! <= 8));
});

test('a recording leaves the training as it was', async () => {
  const setup = { ...small, regularizers: ['gradient-penalty', 'spectral-norm'] };
  const [watched, alone] = [new Trial(setup), new Trial(setup)];
  for (let i = 0; i < 3; i++) {
    await record('critic', watched);
    await record('generator', watched);
    assert.equal(await watched.next(), await alone.next());
  }
});

test("the lecture's convolution: U v(x), and U transposed", async () => {
  const { matrix, forward, transposed } = await convolve(lecture);
  assert.equal(forward, [122, 148, 126, 134]);
  assert.equal(transposed, [2, 9, 6, 1, 6, 29, 30, 7, 10, 29, 33, 13, 12, 24, 16, 4]);
  assert.equal(matrix.slice(0, 16), [1, 4, 1, 0, 1, 4, 3, 0, 3, 3, 1, 0, 0, 0, 0, 0]);
});

test('each convolution is the gradient of the other, at any stride, padding and size', async () => {
  for (const to of [
    {},
    { stride: 2 },
    { padding: 1 },
    { padding: 1, stride: 2 },
    { kernel: 2 },
    { size: 5, stride: 3 },
  ]) {
    const asked: Convolution = resized(lecture, to);
    const c = await convolve(asked);
    assert.is(c.matrix.length, outSize(asked) ** 2 * asked.size ** 2);
    assert.equal(c.gradientOfForward, c.transposed, JSON.stringify(to));
    assert.equal(c.gradientOfTransposed, c.forward, JSON.stringify(to));
  }
  assert.is(resized(lecture, { kernel: 5 }), lecture, 'a kernel that does not fit is not taken');
});

test.run();
