import type { RunPicture, RunRecord } from '../run/read.node.ts';
import { type Html, html } from './html.ts';

/** Keys of config.json that say where and when a run was, not what it was asked for. */
export const FACTS = ['started', 'version', 'commit', 'adapter', 'out', 'quiet', 'command', 'headline'];

/** A value of config.json for people. */
export function shownValue(value: unknown): string {
  if (value === undefined) return '–';
  if (typeof value === 'string') return value;
  if (Array.isArray(value) && value.every((v) => typeof v !== 'object')) return value.join(', ') || 'none';
  return JSON.stringify(value);
}

/** Four significant digits. */
export const rounded = (value: number): string =>
  Math.abs(value) >= 1e4 || (value !== 0 && Math.abs(value) < 1e-3)
    ? value.toExponential(2)
    : String(Number(value.toPrecision(4)));

/** Seconds as `12 s`, `3 min 20 s`, `1 h 5 min`. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor(whole / 60) % 60} min`;
}

/** What a run is, in one line: objective and model on data. */
export function headline({ config, name }: RunRecord): string {
  const { model, objective, data, system } = config;
  const parts = objective === undefined && model === undefined ? [system] : [objective, model];
  const what = parts.filter((part) => typeof part === 'string').join(', ');
  return what && typeof data === 'string' ? `${what} on ${data}` : what || name;
}

/** The state of a run as a badge. */
export const badge = ({ state }: RunRecord): Html => html`<span class="state ${state}">${state}</span>`;

/** An image with its bytes in the page. */
export const picture = (
  bytes: Uint8Array,
  { width, height }: Pick<RunPicture, 'width' | 'height'>,
  alt: string,
): Html =>
  html`<img src="data:image/png;base64,${Buffer.from(bytes).toString('base64')}" width="${width}" height="${height}" alt="${alt}">`;

/** What is missing or broken. */
export const notes = (problems: readonly string[]): Html | false =>
  problems.length > 0 &&
  html`<aside class="notes"><ul>${problems.map((problem) => html`<li>${problem}</li>`)}</ul></aside>`;

/** The command that makes the run again, if its configuration says. */
export const commandOf = ({ config }: RunRecord): string | undefined =>
  typeof config.command === 'string' ? config.command : undefined;
