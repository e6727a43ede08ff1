import type { RunSettings } from '../../gan/runSettings.ts';

/** The words of a command as a shell reads it, still quoted. */
const WORD = /(?:[^\s'\\]|\\.|'[^']*')+/g;

/**
 * The command that makes a run again as it is now: with the steps that it has found or was given since, and the folder of its data
 * wherever that was when the run began.
 * @param command as it was typed, quoted for a shell; null where there was none, and then there is none now
 */
export function commandNow(
  command: string | null,
  { steps, seconds, data, dataOptions }: Pick<RunSettings, 'steps' | 'seconds' | 'data' | 'dataOptions'>,
): string | null {
  if (command === null) return null;
  const { folder } = dataOptions;
  let words: readonly string[] = command.match(WORD) ?? [];
  const limit = steps !== null ? ['--steps', `${steps}`] : seconds !== null ? ['--time', `${seconds}s`] : [];
  words = withOption(words, ['--steps', '--time'], limit);
  // A folder alone would be one of images.
  if (typeof folder === 'string') words = withOption(words, ['--data'], ['--data', data]);
  if (typeof folder === 'string') words = withOption(words, ['--data-folder'], ['--data-folder', quoted(folder)]);
  return words.join(' ');
}

/** A word as a shell takes it. */
export const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

/** The words with an option in the place of those of some names; where there was none, before the adapter or at the end. */
function withOption(words: readonly string[], names: readonly string[], option: readonly string[]): readonly string[] {
  const kept: string[] = [];
  let place: number | undefined;
  for (let i = 0; i < words.length; i++) {
    const [name] = words[i]!.split('=');
    if (!names.includes(name!)) {
      kept.push(words[i]!);
      continue;
    }
    place ??= kept.length;
    if (!words[i]!.includes('=')) i++; // its value
  }
  const adapter = kept.findIndex((word) => /^--adapter(=|$)/.test(word));
  kept.splice(place ?? (adapter < 0 ? kept.length : adapter), 0, ...option);
  return kept;
}
