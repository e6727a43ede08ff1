/** What the tests read of WGSL: its functions, the calls in them, and whether those are guarded against NaN. */

/** A function of a shader. */
export interface WgslFunction {
  readonly name: string;
  /** Names of the parameters. */
  readonly parameters: readonly string[];
  readonly body: string;
  /** Where the body starts in the source. */
  readonly from: number;
}

/** A call; positions count from the start of the source. */
export interface WgslCall {
  readonly name: string;
  readonly text: string;
  readonly args: readonly { readonly from: number; readonly to: number; readonly text: string }[];
}

/** Comments as spaces, so that positions stay. */
const bare = (source: string): string => source.replace(/\/\/.*/g, (comment) => ' '.repeat(comment.length));

/** Where the bracket at `open` is closed. */
function closing(source: string, open: number): number {
  let depth = 0;
  for (let i = open; i < source.length; i++) {
    if ('([{'.includes(source[i]!)) depth++;
    else if (')]}'.includes(source[i]!) && --depth === 0) return i;
  }
  throw new Error(`no bracket closes that at ${open}`);
}

/** The functions of a shader. */
export function functionsOf(source: string): WgslFunction[] {
  const text = bare(source);
  return [...text.matchAll(/\bfn (\w+)\s*\(/g)].map((found) => {
    const open = found.index + found[0].length - 1;
    const end = closing(text, open);
    const start = text.indexOf('{', end);
    const parameters = [...text.slice(open, end).matchAll(/(\w+)\s*:/g)].map((m) => m[1]!);
    return { name: found[1]!, parameters, body: text.slice(start, closing(text, start) + 1), from: start };
  });
}

/** The calls of some functions by name, also those inside of each other. */
export function callsOf(source: string, { body, from }: WgslFunction, names: readonly string[]): WgslCall[] {
  const text = bare(source);
  return [...body.matchAll(new RegExp(`(?<![.\\w])(${names.join('|')})\\s*\\(`, 'g'))].map((found) => {
    const open = from + found.index + found[0].length - 1;
    const end = closing(text, open);
    const args: { from: number; to: number; text: string }[] = [];
    let depth = 0;
    let start = open + 1;
    for (let i = start; i <= end; i++) {
      if (i === end || (depth === 0 && text[i] === ',')) {
        args.push({ from: start, to: i, text: text.slice(start, i) });
        start = i + 1;
      } else if ('([{'.includes(text[i]!)) depth++;
      else if (')]}'.includes(text[i]!)) depth--;
    }
    return { name: found[1]!, text: text.slice(from + found.index, end + 1), args };
  });
}

/** Names in an expression that stand for values: no functions, no members. */
const namesIn = (expression: string): string[] =>
  [...expression.matchAll(/(?<![.\w])([A-Za-z_]\w*)(?!\w*\s*[(<])/g)].map((m) => m[1]!);

/** Whether `isnan_` or `finite_` is asked of every value that a call sees, or of all that such a `let` is made of. */
export function isGuarded({ body, parameters }: WgslFunction, call: WgslCall): boolean {
  const asked = new Set([...body.matchAll(/\b(?:isnan_|finite_)\((\w+)\)/g)].map((m) => m[1]!));
  const made = new Map([...body.matchAll(/\blet (\w+)[^=;]*=([^;]*);/g)].map((m) => [m[1]!, m[2]!]));
  const isSafe = (name: string, deep: number): boolean => {
    if (asked.has(name)) return true;
    const value = made.get(name);
    if (parameters.includes(name) || value === undefined || deep === 0) return false;
    const names = namesIn(value).filter((n) => n !== 'T' && n !== 'p');
    return names.every((n) => isSafe(n, deep - 1));
  };
  const names = call.args.flatMap((a) => namesIn(a.text)).filter((n) => n !== 'T' && n !== 'p');
  return names.length > 0 && names.every((n) => isSafe(n, 8));
}
