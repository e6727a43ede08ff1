/**
 * Runs the test files, each in a process of its own, two at a time. `npm test -- tape gan/` runs those whose paths
 * contain a given word. The last line says how many tests passed and failed; a skipped test counts as failed.
 */
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('.', import.meta.url));
const words = process.argv.slice(2);
/** Far more than any file takes, also where every shader is compiled for the first time on a busy machine. */
const LIMIT = 1_500_000;
/** These take longest, and start first. */
const FIRST = ['repo/browser.test.ts', 'cli/train.test.ts', 'kernels/kernels.test.ts'];

const rank = (file: string): number => (FIRST.indexOf(file) + FIRST.length + 1) % (FIRST.length + 1);
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .map((f) => f.split(sep).join('/'))
  .filter((f) => f.endsWith('.test.ts') && (words.length === 0 || words.some((w) => f.includes(w))))
  .sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));

interface Result {
  readonly passed: number;
  readonly failed: number;
  /** Why a file failed beyond what its tests say. */
  readonly reason: string;
  readonly output: string;
  readonly seconds: number;
}

function run(file: string): Promise<Result> {
  const start = performance.now();
  const child = spawn(process.execPath, ['--import=tsx', `${folder}${file}`], { cwd: `${folder}..` });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill('SIGKILL');
  }, LIMIT);
  return new Promise((resolve) => {
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      // uvu's summary; a process that ended before it has failed, whatever its code.
      const count = (what: string) => Number(new RegExp(`^ {2}${what}: +(\\d+)`, 'm').exec(output)?.[1] ?? Number.NaN);
      const [total, passed, skipped] = [count('Total'), count('Passed'), count('Skipped')];
      const reason = late
        ? `stopped after ${LIMIT / 1000} s`
        : Number.isNaN(total) || total === 0
          ? `ended without running its tests (${signal ?? `exit code ${code}`})`
          : skipped > 0
            ? `${skipped} skipped`
            : code !== 0 && passed === total
              ? `its tests passed, but it ended with ${signal ?? `exit code ${code}`}`
              : '';
      const failed = (total || 0) - (passed || 0) + (skipped || 0);
      resolve({
        passed: passed || 0,
        failed: reason ? Math.max(1, failed) : failed,
        reason,
        output,
        seconds: (performance.now() - start) / 1000,
      });
    });
  });
}

let passed = 0;
let failed = 0;
const queue = [...files];

async function worker(): Promise<void> {
  for (let file = queue.shift(); file; file = queue.shift()) {
    const result = await run(file);
    passed += result.passed;
    failed += result.failed;
    const counts = `${result.passed} passed${result.failed > 0 ? `, ${result.failed} failed` : ''}`;
    console.log(
      `${file.padEnd(30)} ${`${result.seconds.toFixed(1)} s`.padStart(8)}   ${counts} ${result.reason}`.trimEnd(),
    );
    if (result.failed > 0) console.log(result.output.replace(/^/gm, '    '));
  }
}

if (files.length === 0) {
  console.error(`no test file matches ${words.join(', ')}`);
  process.exitCode = 2;
} else {
  await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, worker));
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
}
