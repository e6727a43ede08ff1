/** What a library needs in a process of its own that has done nothing yet: for its first step, and in memory. */
import { Worker } from './client.ts';
import type { Row, Workers } from './run.ts';
import type { Case, FirstStep, Library } from './task.ts';

/** Steps over which the peak of live buffers is taken, after the first. */
const STEPS = 4;

/** What stands in the column of shapes for a training task. */
export const freshShape = (name: string, shape: string): string => `${name} ${shape.split(',')[0]}`;

/** Two rows for a training task: milliseconds of the first step, pipelines included, and the peak of live buffers. */
export async function freshRows({ name, shape, task }: Case, { plan }: Workers): Promise<Row[]> {
  const found = new Map<Library, FirstStep>();
  const notes: string[] = [];
  for (const library of plan.libraries) {
    let worker: Worker | undefined;
    try {
      // Mesa keeps compiled shaders on disk, and then only the very first run would compile any.
      worker = await Worker.start(library, { ...plan.environment, MESA_SHADER_CACHE_DISABLE: 'true' });
      found.set(library, await worker.call('first', { task, steps: STEPS }));
    } catch (error) {
      notes.push(`${library}: ${(error as Error).message}`);
    } finally {
      worker?.stop();
    }
  }
  const get = (pick: (first: FirstStep) => number) => {
    const [own, tfjs, jaxjs] = (['wgrad', 'tfjs', 'jaxjs'] as const).map((library) => {
      const first = found.get(library);
      return first ? pick(first) : null;
    }) as [number | null, number | null, number | null];
    const ratio = (other: number | null) => (own === null || other === null || !(own > 0) ? null : other / own);
    return { own, tfjs, jaxjs, ratios: { vs_tfjs: ratio(tfjs), vs_jaxjs: ratio(jaxjs) } };
  };
  const common = { suite: 'overhead', gflops: null, gbps: null, of_roof: null, difference: null } as const;
  const label = freshShape(name, shape);
  const time = get(({ ms }) => ms);
  const memory = get(({ peakBytes }) => peakBytes / 1e6);
  return [
    {
      ...common,
      name: 'first step',
      shape: label,
      ...time.ratios,
      wgrad_ms: time.own,
      tfjs_ms: time.tfjs,
      jaxjs_ms: time.jaxjs,
      note: ['shaders compiled, one sample', ...notes].join('; '),
    },
    {
      ...{
        ...common,
        name: 'peak memory',
        shape: label,
        ...memory.ratios,
        wgrad_ms: null,
        tfjs_ms: null,
        jaxjs_ms: null,
      },
      wgrad_mb: memory.own,
      tfjs_mb: memory.tfjs,
      jaxjs_mb: memory.jaxjs,
      note: ['live buffers over five steps', ...notes].join('; '),
    },
  ];
}
