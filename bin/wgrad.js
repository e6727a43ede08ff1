#!/usr/bin/env node
// The `wgrad` command. A source checkout runs the TypeScript as it is; an installed package runs what was built from it.
import { existsSync } from 'node:fs';

const source = new URL('../cli/main.node.ts', import.meta.url);

/** @returns {Promise<typeof import('../cli/main.node.ts')>} */
async function load() {
  if (!existsSync(source)) return import('../dist/cli/main.node.js');
  const { register } = await import('tsx/esm/api').catch(() => {
    console.error('wgrad: the packages of this checkout are not installed: run `npm ci` in it');
    process.exit(1);
  });
  register();
  return import(source.href);
}

const { main } = await load();
process.exitCode = await main(process.argv.slice(2));
