/** A headless Chromium with WebGPU from npm packages alone. */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Browser, chromium as playwright } from 'playwright-core';

/**
 * Unpacks Chromium and the libraries that it needs, once. The package does this for Lambda functions: into the folder for
 * temporary files, and its libraries (NSS, NSPR, Expat) only where a variable says that there are none.
 */
async function unpacked(): Promise<string> {
  const main = createRequire(import.meta.url).resolve('@sparticuz/chromium');
  const { version } = createRequire(main)(join(dirname(main), '..', '..', 'package.json')) as { version: string };
  const folder = join(tmpdir(), `wgrad-chromium-${version}-${process.getuid?.() ?? 0}`);
  if (existsSync(folder)) return folder;
  const fresh = `${folder}.${process.pid}`;
  mkdirSync(fresh, { recursive: true });
  const { TMPDIR, LD_LIBRARY_PATH, FONTCONFIG_PATH } = process.env;
  Object.assign(process.env, { TMPDIR: fresh, AWS_LAMBDA_JS_RUNTIME: 'nodejs20.x' });
  const { default: packed } = await import('@sparticuz/chromium');
  await packed.executablePath();
  for (const [name, value] of Object.entries({ TMPDIR, LD_LIBRARY_PATH, FONTCONFIG_PATH, AWS_LAMBDA_JS_RUNTIME: '' })) {
    if (value) process.env[name] = value;
    else delete process.env[name];
  }
  try {
    renameSync(fresh, folder); // atomic: another process sees all of it or nothing
  } catch {
    rmSync(fresh, { recursive: true, force: true }); // that other process was first
  }
  return folder;
}

const FLAGS = [
  ...['--no-sandbox', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
];

/** Starts the browser. @throws with what Chromium said if it does not start */
export async function launchChromium(): Promise<Browser> {
  const folder = await unpacked();
  return playwright.launch({
    executablePath: join(folder, 'chromium'),
    args: FLAGS,
    timeout: 60_000,
    env: {
      ...(process.env as Record<string, string>),
      // The system's own libraries come first, where it has them: they belong together.
      LD_LIBRARY_PATH: [process.env.LD_LIBRARY_PATH, ...SYSTEM, join(folder, 'al2023', 'lib')]
        .filter(Boolean)
        .join(':'),
      FONTCONFIG_PATH: join(folder, 'fonts'),
    },
  });
}

const SYSTEM = ['/lib/x86_64-linux-gnu', '/usr/lib/x86_64-linux-gnu', '/lib64', '/usr/lib64', '/usr/lib'].filter((f) =>
  existsSync(f),
);
