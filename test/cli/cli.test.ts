import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Actions, main } from '../../cli/main.node.ts';
import { printable } from '../../gan/printable.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const environment: NodeJS.ProcessEnv = { ...process.env, NO_COLOR: '1' };
delete environment.WGRAD_ADAPTER;
delete environment.WGRAD_DEBUG;

/** The real entry with its real actions. */
const wgrad = [join(repository, 'bin', 'wgrad.js')];
/** The real command line in a real process, with a `train` that needs no device. */
const stub = [
  '--import=tsx',
  '--input-type=module',
  '--eval',
  `import { main } from './cli/main.node.ts';
   import { createRunFolder } from './cli/run/folder.node.ts';
   const train = async ({ out, given: { seed } }, signal) => {
     if (out) createRunFolder({ out });
     // npm passes Ctrl-C on to its child, which the terminal has told already.
     signal.addEventListener('abort', () => setTimeout(() => process.kill(process.pid, 'SIGINT'), 50));
     console.log('training');
     while (seed === 666 || !signal.aborted) await new Promise((resolve) => setTimeout(resolve, 20));
     await new Promise((resolve) => setTimeout(resolve, 200));
     console.log('kept');
   };
   process.exitCode = await main(process.argv.slice(1), { train });`,
  '--',
];

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

/** Runs Node to its end. `onOutput` sees each piece of standard output, and may send signals. */
function run(
  args: readonly string[],
  onOutput: (text: string, kill: (signal: NodeJS.Signals) => void) => void = () => {},
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: repository, env: environment, timeout: 60_000 });
    let [out, err] = ['', ''];
    child.stdout.on('data', (text) => {
      out += text;
      onOutput(String(text), (signal) => child.kill(signal));
    });
    child.stderr.on('data', (text) => {
      err += text;
    });
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, out, err }));
  });
}

/** Calls `main` in this process; what it wrote on standard error, and what its actions received. */
async function call(argv: readonly string[], env: Record<string, string> = {}, failure?: Error) {
  const received: unknown[] = [];
  const act = async (options: unknown): Promise<void> => {
    const { command: _, ...rest } = options as { readonly command?: string };
    received.push(rest);
    if (failure) throw failure;
  };
  const bench = async (args: readonly string[]): Promise<number> => {
    received.push(args);
    return 3;
  };
  const pages = { report: act, compare: act, playground: act };
  const actions: Actions = { train: act, sample: act, evaluate: act, ...pages, doctor: act, bench };
  const { write } = process.stderr;
  const before = process.env;
  let err = '';
  process.env = { ...environment, ...env };
  process.stderr.write = (text: string | Uint8Array) => {
    err += text;
    return true;
  };
  try {
    return { code: await main(argv, actions), err, received };
  } finally {
    process.stderr.write = write;
    process.env = before;
  }
}

const test = suite<{ root: string }>('command line');
test.before((context) => {
  context.root = mkdtempSync(join(tmpdir(), 'wgrad-'));
});
test.after(({ root }) => rmSync(root, { recursive: true }));

test('the installed command: help, version, exit codes', async () => {
  const [help, train, sample, evaluate, data, systems, version, wrong] = await Promise.all(
    [
      ...[
        ['--help'],
        ['train', '--help'],
        ['sample', '--help'],
        ['evaluate', '--help'],
        ['data'],
        ['systems'],
        ['--version'],
      ],
      ['train', '--step', '3'],
    ].map((args) => run([...wgrad, ...args])),
  );
  for (const { code, err } of [help!, train!, sample!, evaluate!, data!, systems!, version!])
    assert.equal([code, err], [0, '']);
  assert.match(help!.out, /train \[options\] \[system\].*sample.*evaluate.*data.*doctor \[options\].*bench/s);
  assert.match(sample!.out, /--what <picture>.*interpolate/s);
  assert.match(evaluate!.out, /Metrics:\n.*fid .*Examples:/s);
  assert.match(data!.out, /^ring: Ring of 8 Gaussians$/m);
  assert.match(systems!.out, /^gan: Generative adversarial network$/m);
  const flags =
    'preset data data-folder classes size model latent width objective label-smoothing regularizer instance-noise';
  const more = 'steps time batch accumulate critic-steps optimizer betas ema seed resume out snapshots adapter quiet';
  for (const option of `${flags} ${more}`.split(' ')) {
    assert.match(train!.out, new RegExp(`--${option}[ \\n]`), option);
  }
  assert.match(train!.out, /Examples:\n {2}\$ wgrad train/);
  const { version: expected } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'));
  assert.is(version!.out, `${expected}\n`);
  assert.equal(wrong!, {
    code: 2,
    signal: null,
    out: '',
    err: "wgrad: unknown option '--step' (Did you mean --steps?)\n",
  });
});

test('a reader that has gone away is no error, and a full disk is one', async () => {
  const unread = async (args: readonly string[]) => {
    const child = spawn(process.execPath, [...wgrad, ...args], { cwd: repository, env: environment });
    child.stdout.destroy();
    let err = '';
    child.stderr.on('data', (text) => {
      err += text;
    });
    const code = await new Promise((resolve) => child.on('close', resolve));
    assert.equal([code, err], [0, ''], args.join(' '));
  };
  await Promise.all([['data'], ['train', '--help'], ['bench', '--help']].map(unread));
  if (!existsSync('/dev/full')) return;
  const full = openSync('/dev/full', 'w');
  const child = spawn(process.execPath, [...wgrad, 'data'], {
    cwd: repository,
    env: environment,
    stdio: ['ignore', full, 'pipe'],
  });
  let err = '';
  child.stderr!.on('data', (text) => {
    err += text;
  });
  const code = await new Promise((resolve) => child.on('close', resolve));
  closeSync(full);
  assert.is(code, 1);
  assert.match(err, /^wgrad: cannot write to standard output: .*ENOSPC.*\n$/);
});

test('what a terminal would obey is printed escaped', async () => {
  const strange = 'a\x1b]0;title\x07 \x9b31m \u202e b\r\x7f';
  const escaped = 'a\\u001b]0;title\\u0007 \\u009b31m \\u202e b\\u000d\\u007f';
  assert.is(printable(strange), escaped);
  assert.is(printable('two\nlines, ünïcode 😀 \ud800'), 'two\\u000alines, ünïcode 😀 \\ud800');
  assert.is((await call(['doctor'], {}, new Error(strange))).err, `wgrad: ${escaped}\n`);
  assert.match((await call(['doctor', `--\x1b[2J`])).err, /^wgrad: unknown option '--\\u001b\[2J'\n$/);
  assert.match(
    (await call(['evaluate', `\x1b[2J`], { WGRAD_DEBUG: '1' }, new Error('\x1b[1m'))).err,
    /^wgrad: Error: \\u001b\[1m\n {4}at /,
  );
});

test('every command prints through the one place that escapes', () => {
  /** Files that may speak of the streams, and why. */
  const allowed: Readonly<Record<string, string>> = {
    'cli/terminal/terminal.node.ts': 'the one place',
    'cli/terminal/progress.node.ts': 'draws over its own lines, which it escapes',
    'gan/data/imageFolder.node.ts': "the library's default, which takes an escaped line",
    'gan/data/describeDataSets.node.ts': 'an example in a document',
    'bin/wgrad.js': 'its own words, before anything is loaded',
  };
  const files = ['gan', 'cli', 'experiments', 'bench', 'bin'].flatMap((folder) =>
    readdirSync(join(repository, folder), { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name}`),
  );
  const speaking = files
    .filter((name) => /\.(ts|js|mjs)$/.test(name))
    .filter((name) => {
      const text = readFileSync(join(repository, name), 'utf8').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
      return /\bconsole\.\w+|process\.std(out|err)\b|writeSync\([12]\b/.test(text);
    });
  assert.equal(speaking.sort(), Object.keys(allowed).sort());
});

test('bench passes its options on and gives its exit code', async () => {
  const { code, received } = await call(['bench', '--quick', '--only', 'matmul', '--help']);
  assert.equal([code, received], [3, [['--quick', '--only', 'matmul', '--help']]]);
  const [help, none] = await Promise.all([
    run([...wgrad, 'bench', '--help']),
    run([...wgrad, 'bench', '--only', 'no such row']),
  ]);
  assert.is(help.code, 0);
  assert.match(help.out, /Times wgrad, tfjs and jax-js.*--peers/s);
  assert.equal([none.code, none.err], [1, 'bench: no row matches no such row\n']);
});

test('wrong usage is one line on standard error and exit code 2', async () => {
  const cases: readonly [RegExp, string[], Record<string, string>?][] = [
    [/unknown command 'trian' \(Did you mean train\?\)/, ['trian']],
    [/'digits' is invalid for argument 'system'. There is no system digits; there are gan/, ['train', 'digits']],
    [/too many arguments/, ['train', 'gan', 'digits']],
    [/'--steps <n>' argument '0' is invalid. Use a whole number from 1 to/, ['train', '--steps', '0']],
    [/'--steps <n>' argument missing/, ['train', '--steps']],
    [/'--batch <n>' argument '2.5' is invalid/, ['train', '--batch', '2.5']],
    [/'--seed <n>' argument '-1' is invalid/, ['train', '--seed', '-1']],
    [/'gpt' is invalid. Allowed choices are mlp, dcgan/, ['train', '--model', 'gpt']],
    [
      /'--regularizer .*argument 'gp' is invalid. there is no regulariser gp; there are weight-clipping/i,
      ['train', '--regularizer', 'gp'],
    ],
    [/'r1=0' is invalid.*must be a number above 0, not 0/, ['train', '--regularizer', 'r1=0']],
    [/'r1=x' is invalid.*name=strength/, ['train', '--regularizer', 'r1=x']],
    [/'--time <duration>' argument '10' is invalid. Use a time such as 90s/, ['train', '--time', '10']],
    [/'--betas <a,b>' argument '0.5' is invalid/, ['train', '--betas', '0.5']],
    [
      /'--label-smoothing <share>' argument '1' is invalid. Use a number from 0 to less than 1/,
      ['train', '--label-smoothing', '1'],
    ],
    [/'--critic-rate <rate>' argument '0' is invalid/, ['train', '--critic-rate', '0']],
    [/'--codes <numbers>' argument '1,x' is invalid/, ['sample', 'r', '--codes', '1,x']],
    [/missing required argument 'run'/, ['evaluate']],
    [/There is no metric fit; there are/, ['evaluate', 'r', '--metrics', 'fit']],
    [/'abacus' is invalid. Allowed choices are hardware, lavapipe/, ['doctor', '--adapter', 'abacus']],
    [/'abacus' from env 'WGRAD_ADAPTER' is invalid/, ['doctor'], { WGRAD_ADAPTER: 'abacus' }],
    [/'--out <folder>' argument '' is invalid. Name a folder/, ['train', '--out=']],
  ];
  for (const [expected, args, env] of cases) {
    const { code, err, received } = await call(args, env);
    assert.equal([code, received], [2, []], args.join(' '));
    assert.match(err, /^wgrad: [^\n]+\n$/);
    assert.match(err, expected);
  }
  const { code, err } = await call([]);
  assert.is(code, 2);
  assert.match(err, /Usage: wgrad/);
});

test('actions receive checked options with defaults', async () => {
  const plain = await call(['train'], { WGRAD_ADAPTER: 'reference' });
  assert.equal([plain.code, plain.received], [0, [{ given: {}, quiet: false, adapter: 'reference' }]]);
  const flags =
    '--steps 5 --out x --time 1h30m --classes 3,8 --betas 0,0.9 --regularizer r1=2 --regularizer spectral-norm --ema 0';
  const { code, received } = await call(['train', ...flags.split(' '), '--regularizer', 'dragan']);
  const regularizers = ['r1=2', 'spectral-norm', 'dragan'];
  const given = {
    steps: 5,
    betas: [0, 0.9],
    emaDecay: 0,
    seconds: 5400,
    regularizers,
    dataOptions: { classes: ['3', '8'] },
  };
  assert.equal([code, received], [0, [{ given, quiet: false, out: 'x' }]]);
  assert.equal((await call(['train', '--regularizer', 'none'])).received, [
    { given: { regularizers: [] }, quiet: false },
  ]);
  assert.equal((await call(['train', 'gan', '--preset', 'dcgan'])).received, [
    { system: 'gan', preset: 'dcgan', given: {}, quiet: false },
  ]);
  assert.match((await call(['train', '--resume', 'r', '--out', 'x'])).err, /stays in its folder: drop --out/);
  const sample = await call(['sample', 'r', '--what', 'interpolate', '--codes', '1,2']);
  assert.equal(sample.received, [{ run: 'r', what: 'interpolate', seed: 0, codes: [1, 2], quiet: false }]);
  const doctor = await call(['doctor', '--json', '--adapter', 'lavapipe'], { WGRAD_ADAPTER: 'reference' });
  assert.equal([doctor.code, doctor.received], [0, [{ json: true, adapter: 'lavapipe' }]]);
});

test('a failure is one line and exit code 1, and has its stack with WGRAD_DEBUG', async () => {
  const failure = new Error('no adapter:\n  install one');
  const { code, err } = await call(['train'], {}, failure);
  assert.equal([code, err], [1, 'wgrad: no adapter: install one\n']);
  assert.match((await call(['doctor'], { WGRAD_DEBUG: '1' }, failure)).err, /^wgrad: Error: no adapter:\n.*\n {4}at /s);
});

test('a run folder that is taken ends the process with exit code 1 and one line', async ({ root }) => {
  mkdtempSync(join(root, 'run-'));
  const { code, out, err } = await run([...stub, 'train', '--out', root]);
  assert.equal([code, out], [1, '']);
  assert.match(err, new RegExp(`^wgrad: the run folder ${root} is not empty[^\\n]*\\n$`));
});

test('the first Ctrl-C keeps what was learnt, also when npm passes it on once more', async () => {
  const { code, out, err } = await run([...stub, 'train'], (text, kill) => {
    if (text.includes('training')) kill('SIGINT');
  });
  assert.equal([code, out], [130, 'training\nkept\n']);
  assert.is(err, '\nstopping after the step under way; press Ctrl-C again to stop at once\n');
});

test('SIGTERM and SIGHUP keep what was learnt too, and end with the status of their number', async () => {
  for (const [name, status] of Object.entries({ SIGTERM: 143, SIGHUP: 129 })) {
    const { code, out, err } = await run([...stub, 'train'], (text, kill) => {
      if (text.includes('training')) kill(name as NodeJS.Signals);
    });
    assert.equal([code, out], [status, 'training\nkept\n'], name);
    assert.is(err, '\nstopping after the step under way; send another signal to stop at once\n');
  }
});

test('a command that npm started stops when npm, or the shell between, is told to end', async () => {
  const told = (script: string, name: NodeJS.Signals) =>
    new Promise<string>((resolve) => {
      const env = { ...environment, npm_lifecycle_event: 'start' };
      const child = spawn('sh', ['-c', script, 'sh', process.execPath, ...stub, 'train'], { cwd: repository, env });
      let out = '';
      child.stdout.on('data', (text) => {
        out += text;
        if (out === 'training\n') child.kill(name);
      });
      child.on('close', () => resolve(out)); // when the command has closed its end
    });
  assert.is(await told('"$@"; true', 'SIGTERM'), 'training\nkept\n');
  if (existsSync('/proc/self/stat')) {
    assert.is(await told(`sh -c '"$@"; true' sh "$@"; true`, 'SIGHUP'), 'training\nkept\n');
  }
});

test('a command that npm started in a group of its own outlives it', async () => {
  if (!existsSync('/proc/self/stat')) return;
  const launch = `const { spawn } = require('node:child_process');
    const [program, ...args] = process.argv.slice(1);
    const child = spawn(program, args, { detached: true, stdio: ['ignore', 'inherit', 'inherit'] });
    console.error(child.pid);`;
  const env = { ...environment, npm_lifecycle_event: 'launch' };
  const args = ['-e', launch, '--', process.execPath, ...stub, 'train'];
  const launcher = spawn(process.execPath, args, { cwd: repository, env });
  let [out, err] = ['', ''];
  const closed = new Promise((resolve) => launcher.on('close', resolve));
  launcher.stderr.on('data', (text) => {
    err += text;
  });
  launcher.stdout.on('data', (text) => {
    out += text;
    if (out !== 'training\n') return;
    launcher.kill('SIGKILL');
    setTimeout(() => {
      out += 'still there\n';
      process.kill(Number.parseInt(err, 10), 'SIGINT');
    }, 1500);
  });
  await closed; // when the command has closed its end
  assert.is(out, 'training\nstill there\nkept\n');
});

test('a second signal ends the process at once, whichever it is', async () => {
  const { code, signal } = await run([...stub, 'train', '--seed', '666'], (text, kill) => {
    if (!text.includes('training')) return;
    kill('SIGHUP');
    setTimeout(() => kill('SIGTERM'), 1000);
  });
  assert.equal([code, signal], [null, 'SIGTERM']);
});

test('the second Ctrl-C ends the process at once', async () => {
  const { code, signal, out } = await run([...stub, 'train', '--seed', '666'], (text, kill) => {
    if (!text.includes('training')) return;
    kill('SIGINT');
    setTimeout(() => kill('SIGINT'), 1000);
  });
  assert.equal([code, signal, out], [null, 'SIGINT', 'training\n']);
});

test.run();
