/** Pages of a single file: templates that escape, and the frame with its style. */

/** Text that is HTML already. Only {@link html} and {@link raw} make it. */
export class Html {
  readonly text: string;
  /** @internal */
  constructor(text: string) {
    this.text = text;
  }
  /** The HTML. */
  toString(): string {
    return this.text;
  }
}

/** What {@link html} takes: text and numbers are escaped, HTML is not, of lists each item; `false` and `null` leave nothing. */
export type HtmlPart = string | number | false | null | undefined | Html | readonly HtmlPart[];

/** Text as it must stand in HTML, in an element or in an attribute between quotes. */
export const escapeHtml = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');

/**
 * Template for HTML: what is put in is escaped unless it is HTML itself.
 *
 * @example html`<p title="${name}">${parts.map((part) => html`<b>${part}</b>`)}</p>`
 */
export function html(strings: TemplateStringsArray, ...parts: readonly HtmlPart[]): Html {
  return new Html(strings.map((text, i) => text + (i < parts.length ? textOf(parts[i]) : '')).join(''));
}

/** Takes text as HTML, as it is: for what this library has drawn or written itself. */
export const raw = (text: string): Html => new Html(text);

function textOf(part: HtmlPart): string {
  if (part === false || part === null || part === undefined) return '';
  if (part instanceof Html) return part.text;
  return typeof part === 'object' ? part.map(textOf).join('') : escapeHtml(String(part));
}

/** An SVG file's text for a place inside a page, where it needs no namespace. */
export const inlineSvg = (svg: string): Html => raw(svg.replace(/ xmlns(:\w+)?="[^"]*"/g, ''));

/** A table; the first cell of each row names it. */
export function table(head: readonly HtmlPart[], rows: readonly (readonly HtmlPart[])[], kind = ''): Html {
  const [first, ...rest] = head;
  return html`<div class="wide"><table class="${kind}">
${head.length > 0 && html`<thead><tr><th scope="col">${first}</th>${rest.map((cell) => html`<th scope="col">${cell}</th>`)}</tr></thead>`}
<tbody>${rows.map(([name, ...cells]) => html`<tr><th scope="row">${name}</th>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>\n`)}</tbody>
</table></div>`;
}

/** What {@link page} frames. */
export interface PageOptions {
  /** The title of the window; plain text. */
  readonly title: string;
  /** All that stands in the body. */
  readonly body: HtmlPart;
  /** A script that the page works without; plain JavaScript. */
  readonly script?: string;
}

/** A whole page: light or dark as the reader prefers, for phones and paper too; nothing is loaded from elsewhere. */
export const page = ({ title, body, script }: PageOptions): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
${textOf(body)}
${script ? `<script>${script.replaceAll('</', '<\\/')}</script>\n` : ''}</body>
</html>
`;

const STYLE = `
:root { --back: #ffffff; --panel: #f6f7f8; --ink: #1c1c1c; --muted: #5f6368; --line: #dcdfe3; --link: #0b62a8; --good: #0a7a4f; --bad: #b3261e; --warn: #8a5a00 }
@media screen and (prefers-color-scheme: dark) {
  :root { --back: #16191d; --panel: #1f2328; --ink: #e6e6e6; --muted: #a4a9af; --line: #383e45; --link: #6cb6f5; --good: #4ed19a; --bad: #ff8a80; --warn: #f2c166 }
}
* { box-sizing: border-box }
body { font: 15px/1.5 Helvetica, Arial, 'Liberation Sans', sans-serif; color: var(--ink); background: var(--back); max-width: 1120px; margin: 0 auto; padding: 20px 16px 60px; overflow-wrap: break-word }
h1 { font-size: 1.6em; line-height: 1.25; margin: 0 0 .3em } h2 { font-size: 1.15em; margin: 2em 0 .6em }
p { margin: .4em 0 } .muted, figcaption { color: var(--muted) } figcaption { font-size: .85em }
.state { display: inline-block; padding: 0 .6em; border: 1px solid; border-radius: 1em; font-size: .9em; font-weight: 600 }
.finished { color: var(--good) } .diverged { color: var(--bad) } .stopped { color: var(--warn) } .running { color: var(--link) }
.notes { border-left: 4px solid var(--warn); background: var(--panel); padding: .5em 1em; margin: 1em 0 } .notes ul { margin: 0; padding-left: 1.2em }
.wide { overflow-x: auto } table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .93em }
th, td { text-align: right; padding: 3px 10px; border-bottom: 1px solid var(--line); vertical-align: top } th { font-weight: 600 }
th[scope=row], .words td, .words th { text-align: left } .words td { max-width: 44em; min-width: 5em; overflow-wrap: break-word } .state, td { white-space: nowrap } .words td, td.note { white-space: normal } td.note { color: var(--muted); text-align: left; font-size: .85em } .best { font-weight: 700; color: var(--good) }
pre { background: var(--panel); padding: .7em 1em; overflow-x: auto; border-radius: 4px; white-space: pre-wrap; overflow-wrap: anywhere } code { font-size: .92em }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 440px), 1fr)); gap: 14px 18px } figure { margin: 0; break-inside: avoid }
svg { max-width: 100%; height: auto; display: block } img { image-rendering: pixelated; max-width: 100%; height: auto; display: block; background: #ffffff }
.large img { width: min(100%, 640px) } .strip { display: flex; gap: 10px; overflow-x: auto; padding: 4px 0; list-style: none; margin: .8em 0 } .strip figure { flex: none; width: 120px } .strip img { width: 120px }
.player { display: flex; gap: 10px; align-items: center; max-width: 640px; margin: .6em 0 } .player input { flex: 1; min-width: 0 } .player output { min-width: 7em; font-variant-numeric: tabular-nums }
button { font: inherit; color: inherit; background: var(--panel); border: 1px solid var(--line); border-radius: 4px; padding: .15em .8em; cursor: pointer }
.scores .muted, .side .muted { display: block; font-weight: 400; font-size: .9em } .scores th { min-width: 7em; max-width: 15em; overflow-wrap: anywhere; vertical-align: bottom } .scores th:first-child, .side th:first-child { position: sticky; left: 0; background: var(--back); min-width: 9em; max-width: 18em; text-align: left; vertical-align: top }
.side img { width: 190px } .side td { padding: 4px }
@media print { body { max-width: none; padding: 0; font-size: 11pt } .player { display: none } .strip { flex-wrap: wrap; overflow: visible } .wide { overflow: visible } pre { border: 1px solid #ccc } }
`;
