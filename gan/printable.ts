/**
 * Characters that a terminal obeys in place of showing them: control characters, line and paragraph separators, marks that turn
 * the direction of writing, and halves of surrogate pairs.
 */
const OBEYED = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/**
 * Text as a terminal may get it: what it would obey is written as `\u001b`, as JSON writes it, so that names out of files cannot
 * move the cursor, forge lines or rename the window.
 * @param kept characters that stay, such as the line breaks of a table; none unless given
 */
export const printable = (text: string, kept = ''): string =>
  text.replace(OBEYED, (character) =>
    kept.includes(character) ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
