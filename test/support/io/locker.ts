/** Writes rows in a run folder until it is killed or may no longer: says when it holds the folder, or why not. */
import { writeSync } from 'node:fs';
import { createRunFolder, resumeRunFolder } from '../../../cli/run/folder.node.ts';
import { lockFolder } from '../../../cli/run/folderLock.node.ts';

const [, , path = '', from = ''] = process.argv;
try {
  const run = from === '' ? createRunFolder({ out: path }) : resumeRunFolder(path, Number(from), lockFolder(path)).run;
  for (let step = Number(from) + 1; ; step++) {
    run.metrics.append({ step, writer: process.pid });
    if (step === Number(from) + 1) writeSync(1, 'holds\n');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
} catch (error) {
  writeSync(1, `${(error as Error).message}\n`);
  process.exitCode = 1;
}
