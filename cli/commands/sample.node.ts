import { open, rm, stat } from 'node:fs/promises';
import { dirname, extname, join, resolve } from 'node:path';
import { destroy, init, Rng } from '../../engine/index.ts';
import { defined } from '../../engine/internal.ts';
import { fileError, writeFileAtomic } from '../../engine/platform/atomicWrite.node.ts';
import type { SampleSet } from '../../gan/data/sampleSet.ts';
import { loadDigitClassifier } from '../../gan/metrics/digitClassifier.node.ts';
import { tileImages } from '../../gan/pictures/grid.ts';
import { writePng } from '../../gan/pictures/png.node.ts';
import { pointsImage } from '../../gan/pictures/points.node.ts';
import { boxOf, onPlane, plotPoints } from '../../gan/pictures/points.ts';
import type { SampleArray } from '../../gan/sampling/draw.ts';
import { evaluateField } from '../../gan/sampling/field.ts';
import { interpolate } from '../../gan/sampling/interpolate.ts';
import { samplesAt } from '../../gan/sampling/neighbours.ts';
import type { Lab } from '../../gan/systems/row.ts';
import { rowOf } from '../../gan/systems/table.ts';
import { animateRun, writeAnimation } from '../pages/animation.node.ts';
import { csvOf, pngOf } from '../pages/shows.node.ts';
import { type OpenedRun, type OpenRunOptions, openRun } from '../run/openRun.node.ts';
import { terminal } from '../terminal/terminal.node.ts';
import { pictures, type SampleOptions } from './sampleOptions.ts';
import { draw, drawings, pathCodes, type Source, settle, tiled } from './samplePictures.node.ts';

/** What sampling needs of a run. */
export type SampledRun = Pick<OpenedRun, 'path' | 'networks' | 'openData' | 'dispose'> &
  Partial<Pick<OpenedRun, 'system' | 'config'>>;

/** Steps between two codes of an animation. */
const STEPS = 12;
/** Real points behind generated ones, and generated ones where `count` does not say. */
const POINTS = 1024;

/**
 * Draws from a run and writes a picture: the action of `wgrad sample`.
 *
 * @param open opens a run folder or a checkpoint on the current device
 * @returns the path of the file
 * @throws Error naming the option, the run or the file, and the remedy; no file is left then, none is overwritten
 */
export async function sample(
  options: SampleOptions,
  open: (path: string, options: OpenRunOptions) => Promise<SampledRun> = openRun,
): Promise<string> {
  refuseMisfits(options);
  const say = (text: string): void => {
    if (!options.quiet) terminal.out.line(text);
  };
  if (options.what === 'animate') {
    const folder = await folderOf(options.run);
    const out = await claim(options, folder, ['.gif', '.webp']);
    await filling(out, () => animateRun(folder, { out }));
    say(out);
    return out;
  }
  await init({ adapter: options.adapter });
  try {
    const run = await open(options.run, defined({ dataFolder: options.dataFolder }));
    try {
      const shown = await drawShow(run, options);
      if (shown !== undefined) {
        say(shown);
        return shown;
      }
      const networks = run.networks!;
      settle(networks);
      const openData = async () => (await run.openData()) as SampleSet;
      const source: Source = { networks, options, openData };
      const { shape } = await probe(source);
      const { path, report } = await (shape.length === 4 ? writeImages : writePoints)(source, run.path);
      if (report) say(report);
      say(path);
      return path;
    } finally {
      run.dispose();
    }
  } finally {
    destroy();
  }
}

/** Draws what the run's system shows by that name. @returns the file; undefined for what is drawn of codes */
async function drawShow({ path, system, config, networks, openData }: SampledRun, options: SampleOptions) {
  const shows = config && system ? (rowOf(config.system).shows ?? {}) : {};
  const names = Object.keys(shows);
  // A system without samples of codes shows the first that it has where no other is asked for.
  const what = options.what === 'grid' && !networks ? names[0] : options.what;
  const show = what === undefined ? undefined : shows[what];
  if (!show || !system) {
    const known: readonly string[] = networks ? [...pictures, ...names] : names;
    if (what !== undefined && known.includes(what)) return undefined;
    throw new Error(`a run of ${config?.system} has no picture ${options.what}; it has ${known.join(', ')}`);
  }
  const lab: Lab = { system, set: await openData(), seed: options.seed, classifier: loadDigitClassifier };
  if (show.suits?.(lab.set) === false) throw new Error(`${lab.set.title} has no ${what} to show`);
  const out = await claim({ ...options, what: what as SampleOptions['what'] }, path, [
    'draw' in show ? '.png' : '.csv',
  ]);
  const made = async () =>
    'draw' in show ? pngOf(await show.draw(lab, options.count)) : csvOf(await show.tabulate(lab, options.count));
  await filling(out, async () => writeFileAtomic(out, await made()));
  return out;
}

/** One sample, which tells images from points. */
const probe = (source: Source): Promise<SampleArray> =>
  draw(source, () => new Rng(0).normal([2, source.networks.latent]));

interface Written {
  readonly path: string;
  readonly report?: string;
}

async function writeImages(source: Source, folder: string): Promise<Written> {
  const { options } = source;
  const { what } = options;
  if (what === 'animate') throw new Error('an animation of a run is made of its files');
  const moving = what === 'interpolate' && !options.corners ? ['.gif', '.webp'] : [];
  const path = await claim(options, folder, ['.png', ...moving]);
  return filling(path, async () => {
    if (moving.includes(extname(path).toLowerCase())) {
      await writeAnimation(path, await framesOf(source), { delay: 80 });
      return { path };
    }
    const drawn = await drawings[what](source);
    await writePng(path, tiled(drawn));
    return { path, ...(drawn.report !== undefined && { report: drawn.report }) };
  });
}

/** One image that goes round through the codes. */
async function framesOf(source: Source) {
  const { mode = 'spherical' } = source.options;
  const { data, shape } = await draw(source, () => interpolate(pathCodes(source), { steps: STEPS, mode, loop: true }));
  const [n = 0, height = 1, width = 1, channels = 1] = shape;
  const scale = Math.max(1, Math.round(224 / height));
  const size = height * width * channels;
  return Array.from({ length: n }, (_, i) =>
    tileImages(data.subarray(i * size, (i + 1) * size), [1, height, width, channels], { padding: 0, scale }),
  );
}

async function writePoints(source: Source, folder: string): Promise<Written> {
  const { options, networks } = source;
  const { what } = options;
  if (what !== 'grid' && what !== 'interpolate' && what !== 'truncate') {
    throw new Error(`${what} needs images, and ${options.run} makes points; there are grid, interpolate and truncate`);
  }
  if (what === 'truncate' && options.psi === undefined) throw new Error('truncate needs psi for points: --psi 0.5');
  const path = await claim(options, folder, ['.svg', '.png']);
  return filling(path, async () => {
    const samples = (
      await drawings[what]({ ...source, options: { ...(what !== 'interpolate' && { count: POINTS }), ...options } })
    ).samples;
    const set = await source.openData();
    const n = Math.min(POINTS, set.train.count);
    const real = onPlane(
      samplesAt(
        set.train,
        set.shape,
        Array.from({ length: n }, (_, i) => i),
      ),
    );
    const box = boxOf(real);
    // A critic of numbers on a line has no level sets in the plane.
    const field = set.shape[0] === 2 ? await evaluateField(networks.critic, box) : undefined;
    const subtitle = `${what}, seed ${options.seed}`;
    const plot = { samples: onPlane(samples), real, box, title: set.title, subtitle, ...(field && { field }) };
    if (path.endsWith('.png')) await writePng(path, await pointsImage(plot));
    else await writeFileAtomic(path, plotPoints(plot));
    return { path };
  });
}

/** Options that the command line lets through, but that make no picture together. */
function refuseMisfits(given: SampleOptions): void {
  const { what, codes, corners, psi, truncation = 'resample', count } = given;
  if (count !== undefined && !(Number.isInteger(count) && count >= 1 && count <= 4096)) {
    throw new Error(`count is ${count}; use an integer from 1 to 4096`);
  }
  if (codes !== undefined) {
    if (what !== 'interpolate' && what !== 'arithmetic')
      throw new Error(`codes are for interpolate and arithmetic, not for ${what}`);
    const wrong = codes.find((code) => !(Number.isInteger(code) && code >= 0 && code < 65_536));
    if (wrong !== undefined)
      throw new Error(`there is no code ${wrong}; use numbers from 0 to 65535, as in the grid of the same seed`);
    if (what === 'arithmetic' && (codes.length === 0 || codes.length % 3 !== 0)) {
      throw new Error(`arithmetic takes three equal parts, a - b + c: 3, 6, 9 ... codes, not ${codes.length}`);
    }
    if (what === 'interpolate' && codes.length < 2) throw new Error('an interpolation goes through 2 or more codes');
  }
  if (corners && what !== 'interpolate') throw new Error(`corners are for interpolate, not for ${what}`);
  if (corners && codes !== undefined && codes.length !== 4)
    throw new Error(`there are 4 corners, not ${codes.length} codes`);
  const own = { psi: 'truncate', truncation: 'truncate', mode: 'interpolate', compare: 'neighbours' } as const;
  for (const [option, picture] of Object.entries(own)) {
    if (given[option as keyof typeof own] === undefined || picture === what) continue;
    throw new Error(`${option} is for ${picture}, not for ${what}`);
  }
  if (psi !== undefined && !(Number.isFinite(psi) && (truncation === 'mean' ? psi >= 0 : psi > 0))) {
    throw new Error(`psi is ${psi}; use a number above 0${truncation === 'mean' ? ', or 0' : ''}`);
  }
}

/** The folder of a run that is named by itself or by a file in it. */
async function folderOf(path: string): Promise<string> {
  try {
    return (await stat(path)).isDirectory() ? resolve(path) : dirname(resolve(path));
  } catch (error) {
    throw fileError('read', path, error);
  }
}

/**
 * Makes the empty file that the picture will replace, so that no other process takes its name.
 * @param endings that it may have; the first is that of a file without a name
 */
async function claim({ out, what }: SampleOptions, folder: string, endings: readonly string[]): Promise<string> {
  if (out !== undefined && !endings.includes(extname(out).toLowerCase())) {
    throw new Error(`${out} must end with ${endings.join(' or ')} for this picture`);
  }
  for (let attempt = 1; ; attempt++) {
    const usual = join(folder, `sample-${what}${attempt === 1 ? '' : `-${attempt}`}${endings[0]}`);
    const path = out === undefined ? usual : resolve(out);
    try {
      await (await open(path, 'wx')).close();
      return path;
    } catch (error) {
      const isTaken = (error as NodeJS.ErrnoException).code === 'EEXIST';
      if (out !== undefined || !isTaken) throw fileError('write', path, error);
    }
  }
}

/** Removes the claimed file where what should fill it fails. */
async function filling<T>(path: string, fill: () => Promise<T>): Promise<T> {
  try {
    return await fill();
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}
