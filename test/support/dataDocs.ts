/** Writes docs/data.md and the pictures of the data sets that are installed here: `npx tsx test/support/dataDocs.ts`. */
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { dataSets, openSampleSet } from '../../gan/data/datasets.node.ts';
import { describeDataSets } from '../../gan/data/describeDataSets.node.ts';
import type { PointSet } from '../../gan/data/distribution.ts';
import type { SampleSet } from '../../gan/data/sampleSet.ts';
import { tileImages } from '../../gan/pictures/grid.ts';

const docs = fileURLToPath(new URL('../../docs', import.meta.url));

/** The text of docs/data.md, with the pictures that lie in docs/data. */
export function dataDocs(): string {
  const files = dataSets.map(({ name }) => [name, `data/${name}.png`] as const);
  return describeDataSets(Object.fromEntries(files.filter(([, path]) => existsSync(join(docs, path)))));
}

/** Forty images of different places in the set. */
function grid(set: SampleSet): Promise<Buffer> {
  const { data, count } = set.train;
  const size = set.shape.reduce((product, length) => product * length, 1);
  const places = Array.from({ length: 40 }, (_, i) => Math.floor((i * count) / 40));
  const images = Float32Array.from(places.flatMap((i) => [...data.subarray(i * size, (i + 1) * size)]));
  const {
    width,
    height,
    channels,
    data: pixels,
  } = tileImages(images, [40, ...set.shape], {
    columns: 10,
    range: [0, 255],
  });
  return sharp(pixels, { raw: { width, height, channels } }).png({ compressionLevel: 9, palette: true }).toBuffer();
}

/** Points as dots, or on the line as a histogram under the density. */
function scatter({ shape, test, distribution }: PointSet): Promise<Buffer> {
  const [side, margin] = [300, 24];
  const reach = Math.ceil(Float32Array.from(test.data).reduce((most, x) => Math.max(most, Math.abs(x)), 0) * 2) / 2;
  const place = (x: number) => margin + ((x + reach) / (2 * reach)) * (side - 2 * margin);
  const marks: string[] = [];
  let axis = side / 2;
  if (shape[0] === 2) {
    for (let i = 0; i < 2500; i++) {
      const [x, y] = [place(test.data[2 * i]!), side - place(test.data[2 * i + 1]!)];
      marks.push(`<circle cx="${x.toFixed(2)}" cy="${y.toFixed(2)}" r="1" fill="#2166ac" fill-opacity="0.5"/>`);
    }
  } else {
    axis = side - margin;
    const bins = 60;
    const width = (2 * reach) / bins;
    const heights = new Float64Array(bins);
    for (const x of test.data) heights[Math.floor((x + reach) / width)]! += 1 / test.count / width;
    const top = heights.reduce((a, b) => Math.max(a, b)) * 1.1;
    const level = (density: number) => axis - (density / top) * (axis - margin);
    heights.forEach((density, i) => {
      const left = place(-reach + i * width);
      const up = level(density);
      marks.push(`<rect x="${left}" y="${up}" width="3.6" height="${axis - up}" fill="#92c5de"/>`);
    });
    const xs = Float64Array.from({ length: 241 }, (_, i) => -reach + (i * reach) / 120);
    const curve = Array.from(distribution.logDensity!(xs), (log, i) => `${place(xs[i]!)},${level(Math.exp(log))}`);
    marks.push(`<polyline points="${curve.join(' ')}" fill="none" stroke="#b2182b" stroke-width="1.5"/>`);
  }
  const label = (x: number) =>
    `<text x="${place(x)}" y="${side - 8}" font-size="11" text-anchor="middle" font-family="sans-serif">${x}</text>`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${side}" height="${side}">
<rect width="100%" height="100%" fill="white"/>
<path d="M${margin} ${axis}H${side - margin}${shape[0] === 2 ? `M${side / 2} ${margin}V${side - margin}` : ''}" stroke="#ccc"/>
${marks.join('')}${[-reach, 0, reach].map(label).join('')}</svg>`;
  return sharp(Buffer.from(svg)).png({ compressionLevel: 9, palette: true, colours: 32 }).toBuffer();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await mkdir(join(docs, 'data'), { recursive: true });
  for (const { name } of dataSets.filter(({ name, kind }) => name !== 'folder' && kind !== 'pairs')) {
    try {
      const set = await openSampleSet(name, name === 'emoji' ? { size: 32 } : {});
      const picture = await (set.kind === 'images' ? grid(set) : scatter(set as PointSet));
      await writeFile(join(docs, 'data', `${name}.png`), picture);
    } catch (error) {
      console.warn(`no picture of ${(error as Error).message}`);
    }
  }
  await writeFile(join(docs, 'data.md'), dataDocs());
}
