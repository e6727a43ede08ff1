/** Pictures of points in the plane. */
import sharp from 'sharp';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { boxOf, type PointsPlot, plotPoints, pointsImage } from '../../gan/index.node.ts';

const test = suite('points');
const cloud = (...values: number[]) => ({ data: Float32Array.from(values), shape: [values.length / 2, 2] });
const real = cloud(0, 0, 10, 0, 0, 4);
const samples = cloud(5, 2);
/** What lines of level sets are drawn with. */
const LEVEL = 'stroke-width="1.2"';
const field = { box: { x: [0, 10], y: [0, 4] }, columns: 2, rows: 2, values: Float32Array.of(0, 10, 0, 10) } as const;

test('the box is a square around the points, with a tenth to spare', () => {
  assert.equal(boxOf(real), { x: [-1, 11], y: [-4, 8] });
  assert.equal(boxOf(cloud(3, 4)), { x: [2, 4], y: [3, 5] }, 'of one point');
  assert.equal(boxOf(cloud(NaN, Infinity, 3, 4)), boxOf(cloud(3, 4)));
});

test('an SVG with its title, a legend, every point and the level sets', () => {
  const svg = plotPoints({ samples, real, field, levels: 4, title: 'ring of 8', subtitle: 'step 10' });
  const count = (part: string | RegExp) => svg.split(part).length - 1;
  for (const text of ['ring of 8', 'step 10 · lines: level sets', '>real<', '>generated<'])
    assert.ok(svg.includes(text), text);
  assert.is(count(/<path transform="translate\([^>]*fill="#0072b2"[^>]*opacity="0.55"/), 3, 'real points');
  assert.is(count(/<path transform="translate\([^>]*fill="#d55e00"[^>]*opacity="0.55"/), 1);
  assert.is(count(LEVEL), 4);
  const plain = plotPoints({ samples });
  assert.not(plain.includes('>real<'));
  assert.not(plain.includes('level sets'));
});

test('a constant field has no level sets, and levels may be named', () => {
  const flat = { ...field, values: new Float32Array(4) };
  assert.not(plotPoints({ samples, field: flat }).includes(LEVEL));
  assert.is(plotPoints({ samples, real, field, levels: [2.5, 99] }).split(LEVEL).length - 1, 1);
});

test('the pixels show each point where it is, and no text', async () => {
  const image = await pointsImage({
    samples: cloud(0.5, 0.5),
    real: cloud(-0.5, -0.5),
    box: { x: [-1, 1], y: [-1, 1] },
    size: 120,
    title: 'x',
  });
  assert.equal([image.width, image.height, image.channels, image.data.length], [120, 120, 3, 120 * 120 * 3]);
  const at = (x: number, y: number) => [...image.data.subarray((y * 120 + x) * 3, (y * 120 + x) * 3 + 3)];
  const [orange, blue] = [at(90, 30), at(30, 90)];
  assert.ok(orange[0]! > orange[2]! + 60, `generated, right above: ${orange}`);
  assert.ok(blue[2]! > blue[0]! + 60, `real, left below: ${blue}`);
  assert.equal(at(60, 60), [255, 255, 255]);
  // Nothing but the two points and the frame.
  let dark = 0;
  for (let y = 3; y < 117; y++) for (let x = 3; x < 117; x++) if (at(x, y).some((v) => v < 250)) dark++;
  assert.ok(dark > 2 && dark < 40, `${dark} pixels`);
});

test('the SVG is a picture that others read', async () => {
  const { width, height, format } = await sharp(Buffer.from(plotPoints({ samples, size: 100 }))).metadata();
  assert.equal([width, format], [176, 'svg']);
  assert.ok(height > 130 && height < 160, `${height}`);
});

const wrong = <T>(value: unknown): T => value as T;
for (const [name, plot, message] of [
  [
    'points on a line',
    { samples: { data: new Float32Array(3), shape: [3, 1] } },
    /samples must be \[N,2\], not 3 values of \[3,1\]/,
  ],
  ['no points', { samples: { data: new Float32Array(0), shape: [0, 2] } }, /must be \[N,2\]/],
  [
    'real points of another shape',
    { samples, real: { data: new Float32Array(4), shape: [4] } },
    /real must be \[N,2\]/,
  ],
  ['a size too small', { samples, size: 63 }, /size is 63; use an integer from 64 to 4096/],
  ['no levels', { samples, field, levels: 0 }, /levels is 0; use an integer >= 1/],
  ['a box inside out', { samples, box: { x: [1, 0], y: [0, 1] } }, /a box goes from/],
  ['an unknown option', { samples, colour: 'red' }, /there is no option colour/],
] as const) {
  test(`refuses ${name}`, () => {
    assert.throws(() => plotPoints(wrong<PointsPlot>(plot)), message);
  });
}

test.run();
