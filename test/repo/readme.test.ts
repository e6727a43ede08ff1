/** The README's programs run as they stand, on the built package, and print what it says. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-web';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const test = suite('readme');

/** Runs a program of the README in this folder, so that 'wgrad' is found. */
function run(program: string): string {
  assert.ok(existsSync('dist/engine/index.js'), 'dist is missing: run `npm run build`');
  const file = `.readme-${process.pid}.mjs`;
  try {
    writeFileSync(file, program);
    return execFileSync(process.execPath, [file], { encoding: 'utf8' });
  } finally {
    rmSync(file, { force: true });
  }
}

const programs = [...readFileSync('README.md', 'utf8').matchAll(/```js\n([\s\S]*?)```/g)].map((m) => m[1]!);

test('the first program prints the tape and both derivatives', () => {
  const printed = run(programs[0]!);
  assert.match(printed, '%1:[3] = x\n%2:[3] = mul(%1, %1)\n%3:[3] = mul(%2, %1)\n%4:[] = sum(%3)\n');
  assert.match(printed, /\[ 3, 12, 27 \] \[ 6, 12, 18 \]/);
});

test('the second program learns XOR', () => {
  const error = /mean squared error ([\d.]+)/.exec(run(programs[1]!))?.[1];
  assert.ok(Number(error) < 0.01, `mean squared error ${error}`);
});

test('the third program trains a classifier with layers of its own, and saves and loads it', () => {
  try {
    const printed = run(programs[2]!);
    assert.match(printed, /layers\.1\.conv \(Conv2d\) +\[1,4,4,8\] +584/);
    assert.ok(Number(/cross-entropy ([\d.]+)/.exec(printed)?.[1]) < 0.1, printed);
    assert.match(printed, 'after epochs: 10');
  } finally {
    rmSync('stripes.safetensors', { force: true });
  }
});

test('the fourth program trains a GAN on a ring, and counts its modes', () => {
  const printed = run(programs[3]!);
  assert.match(printed, /^50 -?[\d.]+\n100 -?[\d.]+\nmodes \d of 8\n$/);
});

test('the fifth program runs its own shader, and checks its derivatives', () => {
  const printed = run(programs[4]!);
  const numbers = (/\[ ([^\]]*) \] \[ ([^\]]*) \]/.exec(printed) ?? [])
    .slice(1)
    .flatMap((t) => t.split(',').map(Number));
  [0.027, -1.728, 0.27, 4.32].forEach((v, i) => {
    assert.ok(Math.abs(numbers[i]! - v) < 1e-6, printed);
  });
  const errors = (/largest errors (\S+) (\S+) (\S+)/.exec(printed) ?? []).slice(1).map(Number);
  assert.ok(errors.length === 3 && errors.every((e, i) => e < (i === 2 ? 1e-6 : 1e-7)), printed);
});

test('the example of an op with two inputs and a sum checks its derivatives and its shader', () => {
  const command = ['--import', 'tsx', 'examples/customOp.ts'];
  const printed = execFileSync(process.execPath, command, { encoding: 'utf8' });
  const errors = (/^derivatives (\S+) (\S+)\nshader (\S+)\n$/.exec(printed) ?? []).slice(1).map(Number);
  assert.ok(errors.length === 3 && errors.every((e, i) => e < (i === 2 ? 1e-4 : 1e-7)), printed);
});

test('the sixth program writes an ONNX file, which onnxruntime runs with a batch of any size', async () => {
  const file = 'generator.onnx';
  try {
    assert.match(run(programs[5]!), /^generator\.onnx: \d+ bytes$/m);
    const session = await InferenceSession.create(readFileSync(file), { logSeverityLevel: 3 });
    const z = Float32Array.from({ length: 3 * 16 }, (_, i) => Math.sin(i));
    const { images } = await session.run({ z: new OrtTensor('float32', z, [3, 16]) });
    assert.equal([...images!.dims], [3, 28, 28, 1]);
    const pixels = images!.data as Float32Array;
    assert.ok(pixels.every((v) => Math.abs(v) < 1) && pixels.some((v) => Math.abs(v) > 0.01));
    await session.release();
  } finally {
    rmSync(file, { force: true });
  }
});

test('every command of package.json that it names exists', () => {
  const readme = readFileSync('README.md', 'utf8');
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
  for (const [, name] of readme.matchAll(
    /`npm (?:run )?(start|test|check(?::ops)?|bench|build|docs|example:classifier)`/g,
  ))
    assert.ok(scripts[name!], name);
});

test.run();
