/** Fonts and pictures of outlines: the reader on fonts made here, the areas of pixels on shapes whose areas are known. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { rasterize } from '../../gan/data/rasterize.ts';
import { readTrueType } from '../../gan/data/trueType.ts';
import { near } from '../support/near.ts';
import { box, type FontPlan, type FontPoint, writeCollection, writeFont } from '../support/trueType.ts';

const CHARACTERS = new Map([
  [0x4e00, 1],
  [0x4e01, 2],
  [0x1f600, 3],
]);
const TRIANGLE: FontPoint[] = [
  [0, 0],
  [300, 600],
  [600, 0],
];
const PLAN: FontPlan = {
  glyphs: [
    { contours: [box(0, 0, 10, 10)] },
    { contours: [TRIANGLE] },
    {},
    { contours: [box(-5, -7, 900, 800)], advance: 500 },
  ],
  characters: CHARACTERS,
};

/** The ends of arcs, which on contours of lines are their points. */
const corners = (arcs: Float64Array): number[][] =>
  Array.from({ length: arcs.length / 6 }, (_, i) => [arcs[6 * i]!, arcs[6 * i + 1]!]);

/** The straight line from one point to another, as an arc. */
const line = (x0: number, y0: number, x1: number, y1: number): number[] => [
  x0,
  y0,
  (x0 + x1) / 2,
  (y0 + y1) / 2,
  x1,
  y1,
];
const polygon = (points: readonly (readonly number[])[]): number[] =>
  points.flatMap(([x, y], i) => {
    const [toX, toY] = points[(i + 1) % points.length]!;
    return line(x!, y!, toX!, toY!);
  });
const rectangle = (x0: number, y0: number, x1: number, y1: number): number[] =>
  polygon(box(x0, y0, x1, y1).map(([x, y]) => [x, y]));
/** One unit a pixel; y = 0 is the lower edge. */
const upright = (size: number) => ({ scale: 1, left: 0, top: size });

for (const short of [false, true]) {
  test(`characters, widths and outlines of a font, with ${short ? 'short' : 'long'} places`, () => {
    const font = readTrueType(writeFont({ ...PLAN, short }));
    assert.is(font.unitsPerEm, 1024);
    assert.equal(font.glyphs, CHARACTERS);
    assert.equal([0, 1, 2, 3].map(font.advance), [1024, 1024, 1024, 500]);
    assert.equal([0, 1, 2, 3].map(font.isBlank), [false, false, true, false]);
    assert.equal(
      corners(font.outline(1)),
      TRIANGLE.map((p) => [...p]),
    );
    assert.equal(
      [...font.outline(1).subarray(0, 6)],
      [0, 0, 150, 300, 300, 600],
      'a line has its control point in its middle',
    );
    assert.is(font.outline(2).length, 0);
    assert.equal(corners(font.outline(3))[2], [900, 800]);
    assert.throws(() => font.outline(4), /^RangeError: the font has 4 glyphs, and none of number 4$|has 4 glyphs/);
  });
}

test('between two control points the middle is on the curve, wherever a contour begins', () => {
  // A circle of four control points alone, and the same with one point told.
  const off: FontPoint[] = [
    [0, 0, 'off'],
    [0, 100, 'off'],
    [100, 100, 'off'],
    [100, 0, 'off'],
  ];
  const glyphs = [{ contours: [off] }, { contours: [[...off.slice(0, 2), [50, 100] as FontPoint, ...off.slice(2)]] }];
  const font = readTrueType(writeFont({ glyphs, characters: new Map() }));
  const arcs = font.outline(0);
  assert.is(arcs.length, 24);
  assert.equal(corners(arcs), [
    [50, 0],
    [0, 50],
    [50, 100],
    [100, 50],
  ]);
  assert.equal(corners(font.outline(1)), corners(arcs), 'the middle of two control points may be told too');
  assert.equal([...arcs.subarray(18)], [100, 50, 100, 0, 50, 0], 'the last arc closes the curve');
});

test('composite glyphs: moved, scaled, turned, and made of composites', () => {
  const glyphs = [
    { contours: [TRIANGLE] },
    {
      parts: [
        { glyph: 0, dx: 10, dy: -20 },
        { glyph: 0, dx: 1000, dy: 2, scale: [0.5] },
      ],
    },
    { parts: [{ glyph: 0, dx: 0, dy: 0, scale: [0.5, -1] }] },
    { parts: [{ glyph: 0, dx: 1, dy: 0, scale: [0, 1, -1, 0] }] },
    { parts: [{ glyph: 1, dx: 1, dy: 1 }] },
    { parts: [{ glyph: 5, dx: 0, dy: 0 }] },
    { parts: [{ glyph: 0, dx: 0, dy: 0, byPoints: true }] },
  ];
  const font = readTrueType(writeFont({ glyphs, characters: new Map() }));
  assert.equal(corners(font.outline(1)), [
    [10, -20],
    [310, 580],
    [610, -20],
    [1000, 2],
    [1150, 302],
    [1300, 2],
  ]);
  assert.equal(corners(font.outline(2)), [
    [0, 0],
    [150, -600],
    [300, 0],
  ]);
  assert.equal(
    corners(font.outline(3)),
    [
      [1, 0],
      [-599, 300],
      [1, 600],
    ],
    'a quarter turn to the left',
  );
  assert.equal(corners(font.outline(4))[1], [311, 581]);
  assert.throws(() => font.outline(5), /glyph 5 is made of glyphs of glyphs, more than 8 deep/);
  assert.throws(() => font.outline(6), /glyph 0, is placed by points, which is not read here/);
});

test('collections, and files that are none', () => {
  const other = { ...PLAN, em: 2048 };
  const file = writeCollection([PLAN, other]);
  assert.equal(
    [0, 1].map((face) => readTrueType(file, face).unitsPerEm),
    [1024, 2048],
  );
  assert.equal(readTrueType(file, 1).outline(1), readTrueType(writeFont(other)).outline(1));
  assert.throws(() => readTrueType(file, 2), /the file holds 2 fonts, and none of number 2/);
  assert.throws(() => readTrueType(new TextEncoder().encode('<html></html>')), /it is no TrueType font/);
  for (const name of ['head', 'maxp', 'cmap', 'hhea', 'hmtx', 'loca', 'glyf']) {
    assert.throws(() => readTrueType(writeFont({ ...PLAN, without: [name] })), new RegExp(`no table ${name}`));
  }
  assert.throws(() => readTrueType(writeFont({ ...PLAN, mapFormat: 4 })), /no map of characters of format 12/);
  assert.throws(
    () => readTrueType(writeFont({ ...PLAN, characters: new Map([[0x110000, 1]]) })),
    /names 110000, which is none/,
  );
  const whole = writeFont(PLAN);
  // A view into a larger buffer is read from where it begins.
  const inside = new Uint8Array(whole.length + 8);
  inside.set(whole, 8);
  assert.equal(readTrueType(inside.subarray(8)).glyphs, CHARACTERS);
  for (const end of [3, 11, 60, whole.length - 40]) {
    assert.throws(() => readTrueType(whole.subarray(0, end)).outline(3), RangeError);
  }
});

test('pixels are the share of them that is inside: rectangles, triangles, either turn', () => {
  assert.equal([...rasterize(rectangle(1, 1, 3, 2), 4, upright(4))], [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]);
  const part = rasterize(rectangle(0.25, 0.5, 1.75, 1.25), 2, upright(2));
  [0.75 * 0.25, 0.75 * 0.25, 0.75 * 0.5, 0.75 * 0.5].forEach((area, i) => {
    near(part[i]!, area, 1e-15);
  });
  // Below the diagonal from (0, 0) to (4, 2): pixels of the lower row have 1/4, 3/4, 1, 1, of the upper one 0, 0, 1/4, 3/4.
  const slope = rasterize(
    polygon([
      [0, 0],
      [4, 2],
      [4, 0],
    ]),
    4,
    upright(4),
  );
  [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0.25, 0.75, 0.25, 0.75, 1, 1].forEach((area, i) => {
    near(slope[i]!, area, 1e-15);
  });
  assert.equal(
    rasterize(
      polygon([
        [4, 0],
        [4, 2],
        [0, 0],
      ]),
      4,
      upright(4),
    ),
    slope,
  );
});

test('inside is what curves wind around: holes, overlaps, and what lies outside of the picture', () => {
  const hole = rasterize(
    [
      ...rectangle(0, 0, 4, 4),
      ...polygon([
        [3, 1],
        [3, 3],
        [1, 3],
        [1, 1],
      ]),
    ],
    4,
    upright(4),
  );
  assert.is(
    hole.reduce((a, b) => a + b),
    12,
  );
  assert.is(hole[5], 0);
  const overlap = rasterize([...rectangle(0, 0, 3, 3), ...rectangle(1, 1, 4, 4)], 4, upright(4));
  assert.is(
    overlap.reduce((a, b) => a + b),
    14,
  );
  assert.ok(rasterize(rectangle(-10, -10, 20, 20), 4, upright(4)).every((share) => share === 1));
  assert.ok(
    rasterize([...rectangle(-9, 0, -5, 4), ...rectangle(5, 0, 9, 4), ...rectangle(0, 5, 4, 9)], 4, upright(4)).every(
      (v) => v === 0,
    ),
  );
  near(
    rasterize(
      polygon([
        [-4, 0],
        [0, 4],
        [4, 0],
      ]),
      4,
      upright(4),
    ).reduce((a, b) => a + b),
    8,
    1e-14,
  );
});

test('a curve: the area under a parabola, and where the picture puts it', () => {
  // From (0, 0) to (8, 0) with the control point (4, 8): two thirds of the triangle below it, 64 / 3.
  const arch = [0, 0, 4, 8, 8, 0, ...line(8, 0, 0, 0)];
  const whole = rasterize(arch, 8, upright(8));
  near(
    whole.reduce((a, b) => a + b),
    64 / 3,
    8 / 256,
  );
  // Column by column against the antiderivative of y = x (8 - x) / 4.
  const under = (x: number) => x ** 2 - x ** 3 / 12;
  for (let column = 0; column < 8; column++) {
    let sum = 0;
    for (let row = 0; row < 8; row++) sum += whole[row * 8 + column]!;
    near(sum, under(column + 1) - under(column), 1 / 256);
  }
  const half = rasterize(arch, 8, { scale: 0.5, left: 2, top: 6 });
  near(
    half.reduce((a, b) => a + b),
    64 / 12,
    8 / 256,
  );
  assert.ok(half.every((share, i) => share < 1e-12 || (i % 8 >= 2 && i % 8 < 6 && i >= 32 && i < 48)));
});

test.run();
