import sharp from 'sharp';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { plot } from '../../gan/pictures/plot.ts';
import { movingMean, spreadOf, thinned } from '../../gan/pictures/plotData.ts';
import { tickText, wrap } from '../../gan/pictures/plotText.ts';
import type { PlotPanel, PlotSeries } from '../../gan/pictures/plotTypes.ts';
import { elements } from '../support/htmlTree.ts';

const test = suite('plot');
const line = (points: [number, number][], rest: object = {}): PlotSeries => ({
  kind: 'line',
  label: 'a',
  points,
  ...rest,
});
const one = (series: PlotSeries[], rest: object = {}): PlotPanel => ({ series, ...rest });
/** Share of the pixels that have about this colour. */
async function share(svg: string, [r, g, b]: readonly [number, number, number]): Promise<number> {
  const { data, info } = await sharp(Buffer.from(svg)).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  let found = 0;
  for (let i = 0; i < data.length; i += 3) {
    if (Math.abs(data[i]! - r) + Math.abs(data[i + 1]! - g) + Math.abs(data[i + 2]! - b) < 12) found++;
  }
  return found / (info.width * info.height);
}
const BLUE = [0, 0x72, 0xb2] as const;

test('every kind of series leaves its colour, and the text is well-formed', async () => {
  const kinds: Record<string, PlotSeries> = {
    line: line([
      [0, 1],
      [1, 2],
      [2, 1],
    ]),
    scatter: {
      kind: 'scatter',
      label: 'a',
      size: 12,
      points: [
        [0, 1],
        [1, 3],
        [2, 2],
      ],
    },
    bars: { kind: 'bars', label: 'a', values: [1, 2], low: [0.5, 2], high: [2, 3] },
    histogram: { kind: 'histogram', label: 'a', edges: [0, 1, 2], counts: [3, 1] },
  };
  for (const [kind, series] of Object.entries(kinds)) {
    for (const log of [false, true]) {
      const x = kind === 'bars' ? { categories: ['one', 'two'] } : { label: 'x' };
      const svg = plot({ title: `<${kind}>`, panels: [one([series], { x, y: { log, label: 'y & z' } })] });
      assert.is(elements(svg)[0]!.tag, 'svg');
      assert.not.match(svg, /NaN|undefined|Infinity/);
      assert.ok(svg.includes(`&lt;${kind}&gt;`) && svg.includes('y &amp; z'), kind);
      const blended = { scatter: [38, 135, 190], histogram: [191, 220, 236] } as const; // at 85 % and at 25 %
      const color = kind === 'scatter' || kind === 'histogram' ? blended[kind] : BLUE;
      assert.ok((await share(svg, color)) > 0.0005, `${kind}, ${log ? 'log' : 'linear'}`);
    }
  }
  const band: PlotSeries = {
    kind: 'band',
    label: 'a',
    points: [
      [0, 1, 3],
      [1, 2, 3],
    ],
  };
  assert.ok((await share(plot({ panels: [one([band])] }), [204, 227, 240])) > 0.1);
});

test('bars are as high as their values', async () => {
  const at = (values: number[]) =>
    share(
      plot({
        panels: [one([{ kind: 'bars', label: '', values }], { y: { min: 0, max: 4 }, x: { categories: ['p', 'q'] } })],
      }),
      BLUE,
    );
  const [half, full] = await Promise.all([at([1, 1]), at([2, 2])]);
  assert.ok(Math.abs(full / half - 2) < 0.05, `${full / half}`);
});

test('the same options give the same text, with ids of its own', () => {
  const options = {
    panels: [
      one([
        line([
          [0, 1],
          [1, 2],
        ]),
      ]),
    ],
  };
  const first = plot(options);
  const other = plot({
    panels: [
      one([
        line([
          [0, 1],
          [1, 3],
        ]),
      ]),
    ],
  });
  assert.is(plot(options), first);
  const id = (svg: string): string => /class="(plot-\w+)"/.exec(svg)![1]!;
  assert.is.not(id(first), id(other));
  assert.match(first, /prefers-color-scheme:dark/);
});

test('what an axis cannot show is left out, and nothing at all is an error', () => {
  const svg = plot({
    panels: [
      one(
        [
          line(
            [
              [0, 0],
              [1, 10],
              [2, Number.NaN],
              [3, 1000],
            ],
            { markers: true },
          ),
        ],
        { y: { log: true } },
      ),
      one([], { title: 'Nothing' }),
    ],
  });
  assert.not.match(svg, /NaN|Nothing/);
  assert.throws(() => plot({ panels: [one([line([[0, -1]])], { y: { log: true } })] }), /no series has a number/);
  assert.throws(() => plot({ panels: [] }), /no series has a number/);
  assert.throws(() => plot({ panels: [], colums: 2 } as never), /there is no option colums/);
});

test('smoothing is said, and legends only where there is a choice', () => {
  const points = Array.from({ length: 100 }, (_, i): [number, number] => [i, i % 7]);
  assert.match(plot({ panels: [one([line(points, { smooth: 0.05 })])] }), 'moving mean over 5 % of the points');
  const two = plot({ panels: [one([line(points), line(points, { label: 'second' })])] });
  assert.ok(two.includes('>second<') && two.includes('>a<') && !two.includes('moving mean'));
  assert.not.match(plot({ panels: [one([line(points)])] }), '>a<');
});

/** The pixels of a picture, as [red, green, blue] at a column and a row. */
async function pixelsOf(svg: string) {
  const { data, info } = await sharp(Buffer.from(svg)).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  const at = (x: number, y: number): number[] => [
    ...data.subarray(3 * (y * info.width + x), 3 * (y * info.width + x) + 3),
  ];
  return { width: info.width, height: info.height, at };
}

test('a legend goes on in further rows, and shows dashes', async () => {
  const lines = (labels: string[], rest: object = {}): PlotSeries[] =>
    labels.map((label, i) =>
      line(
        [
          [0, i],
          [1, i + 1],
        ],
        { label, ...rest },
      ),
    );
  const of = (labels: string[]) => plot({ panels: [one(lines(labels))], width: 450 });
  const [two, six] = await Promise.all(
    [of(['a', 'b']), of(['one', 'two', 'three', 'four', 'five', 'published'])].map(pixelsOf),
  );
  assert.ok(six!.height > two!.height, `${six!.height} against ${two!.height}`);
  const dashed = plot({ panels: [one([...lines(['a']), ...lines(['b'], { dash: 'dashed' })])] });
  assert.is(dashed.split('stroke-dasharray="6,4"').length - 1, 2, 'in the panel and in the legend');
});

test('nothing touches the edges of a panel without a title above all', async () => {
  const series = line([
    [0, 1],
    [1, 2],
  ]);
  const { width, height, at } = await pixelsOf(
    plot({ panels: [one([series], { title: 'ÄgQ', x: { label: 'gyp' } })] }),
  );
  for (const y of [0, 1, height - 2, height - 1]) {
    for (let x = 0; x < width; x++) assert.equal(at(x, y), [255, 255, 255], `${x}, ${y}`);
  }
});

test('an empty interval on a logarithmic axis has no height', async () => {
  const histogram: PlotSeries = { kind: 'histogram', label: '', edges: [0, 1, 2, 3], counts: [1, 0, 1000] };
  const { width, height, at } = await pixelsOf(plot({ panels: [one([histogram], { y: { log: true } })] }));
  const blue = (x: number): number =>
    Array.from({ length: height >> 1 }, (_, y) => at(x, y)).filter(([r, , b]) => b! - r! > 50).length;
  assert.is(blue(width >> 1), 0);
  assert.ok(blue(width - 100) > 0);
});

test('the value of a negative bar stands below it', async () => {
  const of = (value: number) =>
    share(
      plot({
        panels: [
          one([{ kind: 'bars', label: '', values: [value] }], { y: { min: -4, max: 4 }, x: { categories: ['p'] } }),
        ],
      }),
      BLUE,
    );
  const [below, above] = await Promise.all([of(-3), of(3)]);
  assert.ok(Math.abs(below / above - 1) < 0.003, `${below / above}`);
});

test('moving mean and spread by hand', () => {
  assert.equal(
    movingMean(
      [
        [0, 3],
        [1, 0],
        [2, 3],
      ],
      0.1,
    ),
    [
      [0, 1.5],
      [1, 2],
      [2, 1.5],
    ],
  );
  const spread = spreadOf([
    [
      [1, 2],
      [2, 4],
    ],
    [[1, 4]],
  ]);
  assert.equal(spread, {
    mean: [
      [1, 3],
      [2, 4],
    ],
    band: [
      [1, 2, 4],
      [2, 4, 4],
    ],
  });
  const long = Array.from({ length: 1000 }, (_, i): [number, number] => [i, 1]);
  assert.is(spreadOf([long]).mean.length, 120);
});

test('a long series is thinned to its extremes, in order, with both ends; a short one stays as it is', () => {
  const points = Array.from({ length: 100_000 }, (_, i): [number, number] => [
    i,
    i === 77_777 ? 9 : i === 12_345 ? -9 : Math.sin(i),
  ]);
  const kept = thinned(points, 800);
  assert.ok(kept.length <= 2 * 800 + 2 && kept.length > 800, `${kept.length}`);
  assert.ok([points[0]!, points[77_777]!, points[12_345]!, points.at(-1)!].every((p) => kept.includes(p)));
  assert.ok(kept.every(([x], i) => i === 0 || x > kept[i - 1]![0]));
  assert.is(thinned(points.slice(0, 1600), 800).length, 1600);
  assert.ok(plot({ panels: [one([line(points)])] }).length < 60_000, 'the picture is as large as it is wide');
});

test('one point, huge and tiny numbers, and words that are too long are drawn', () => {
  const long = 'a very long label that no legend has room for '.repeat(6);
  for (const points of [
    [[5, 5]],
    [
      [0, 1e30],
      [1, -1e30],
    ],
    [
      [0, 1e-30],
      [1, 2e-30],
    ],
    [
      [1e15, 1],
      [1e15 + 2, 2],
    ],
  ] as [number, number][][]) {
    const series = [line(points), line(points, { label: long, dash: 'dotted' })];
    const svg = plot({
      title: long,
      subtitle: long,
      panels: [one(series, { title: long, x: { label: long }, y: { label: long } })],
    });
    assert.is(elements(svg)[0]!.tag, 'svg');
    assert.not.match(svg, /NaN|undefined|Infinity/);
  }
});

test('ticks are short, and lines break at spaces and hyphens', () => {
  const given = [0, 12000, 0.05, 1e-7, 2e9, -1e6, 0.30000000000000004];
  assert.equal(given.map(tickText), ['0', '12,000', '0.05', '10⁻⁷', '2·10⁹', '-10⁶', '0.3']);
  assert.equal(wrap('non-saturating a - b', 11), ['non-', 'saturating', 'a - b']);
});

test.run();
