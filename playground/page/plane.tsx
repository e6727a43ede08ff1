/** The stage: samples and critic in the plane, and what is under the probe. */
import { useSignalEffect } from '@preact/signals';
import type { JSX, TargetedKeyboardEvent, TargetedPointerEvent } from 'preact';
import { useRef } from 'preact/hooks';
import { brush, draft, lift, stroke } from './drawing.tsx';
import { Brush, drawPlane, type Palette } from './drawPlane.ts';
import { layerNames, layers } from './layers.ts';
import { readPlane } from './probe.ts';
import { isShown, look, point, probe, setup, shown, toggle } from './store.ts';

const paletteOf = (element: Element): Palette => {
  const style = getComputedStyle(element);
  const colour = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return {
    paper: colour('paper'),
    ink: colour('ink'),
    real: colour('real'),
    fake: colour('fake'),
    line: colour('line'),
  };
};

/** Draws now, and again when the canvas changes its size or the page its colours. */
function usePlane() {
  const ref = useRef<HTMLCanvasElement>(null);
  useSignalEffect(() => {
    const [seen, names, at, drawn] = [look.value, shown.value, probe.value, draft.value];
    const canvas = ref.current;
    if (!canvas) return;
    const draw = (): void => {
      const size = Math.round(canvas.clientWidth * devicePixelRatio);
      if (size === 0 || !seen) return;
      if (canvas.width !== size) canvas.width = canvas.height = size;
      const context = canvas.getContext('2d')!;
      const palette = paletteOf(canvas);
      drawPlane(context, size, drawn ? { ...seen, real: Float32Array.from(drawn) } : seen, names, palette);
      if (!at) return;
      const brush = new Brush(context, size, seen.frame);
      const [x, y] = [brush.x(at[0]), brush.y(at[1])];
      context.strokeStyle = palette.ink;
      context.lineWidth = 1.5 * devicePixelRatio;
      context.strokeRect(
        x - 6 * devicePixelRatio,
        y - 6 * devicePixelRatio,
        12 * devicePixelRatio,
        12 * devicePixelRatio,
      );
    };
    draw();
    const resized = new ResizeObserver(draw);
    resized.observe(canvas);
    const dark = matchMedia('(prefers-color-scheme: dark)');
    dark.addEventListener('change', draw);
    return () => {
      resized.disconnect();
      dark.removeEventListener('change', draw);
    };
  });
  return ref;
}

/** The place of the plane under a pointer. */
function placeOf({
  currentTarget,
  clientX,
  clientY,
}: TargetedPointerEvent<HTMLCanvasElement>): [number, number] | undefined {
  const frame = look.value?.frame;
  if (!frame) return undefined;
  const { left, top, width } = currentTarget.getBoundingClientRect();
  const { middle, reach } = frame;
  return [
    middle[0] + ((2 * (clientX - left)) / width - 1) * reach,
    middle[1] + (1 - (2 * (clientY - top)) / width) * reach,
  ];
}

/** Moves the probe by the arrow keys. */
function pressed(event: TargetedKeyboardEvent<HTMLCanvasElement>): void {
  const frame = look.value?.frame;
  const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
  if (!frame) return;
  if (event.key === 'Escape') point(undefined);
  if (!by) return;
  event.preventDefault();
  const { middle, reach } = frame;
  const at = probe.value ?? middle;
  const far = (event.shiftKey ? 0.2 : 0.04) * reach;
  const held = (axis: 0 | 1): number =>
    Math.max(middle[axis] - reach, Math.min(middle[axis] + reach, at[axis] + far * by[axis]!));
  point([held(0), held(1)]);
}

/** The plane with its layers. */
export function Plane(): JSX.Element {
  const ref = usePlane();
  return (
    <section class="plane" aria-label="The plane">
      <div class="layers">
        {layerNames
          .filter((name) => isShown(`layer.${name}`) && (name !== 'folds' || setup.value.latent <= 2))
          .map((name) => (
            <label key={name} title={layers[name].about}>
              <input type="checkbox" checked={shown.value.has(name)} onChange={() => toggle(name)} />{' '}
              <span class={`swatch ${name}`} aria-hidden="true" />
              {layers[name].title}
            </label>
          ))}
      </div>
      <canvas
        ref={ref}
        tabIndex={0}
        role="img"
        aria-label="Real and generated samples in the plane. Arrow keys move a probe, whose values stand below."
        aria-describedby="probe"
        onPointerDown={(event) => {
          const at = placeOf(event);
          if (brush.value === 'off' || !at) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          stroke(at);
        }}
        onPointerMove={(event) => {
          const at = placeOf(event);
          if (at && brush.value !== 'off' && event.buttons === 1) stroke(at);
          else point(at);
        }}
        onPointerUp={lift}
        onPointerLeave={() => point(undefined)}
        onKeyDown={pressed}
      >
        {`step ${look.value?.step ?? 0}`}
      </canvas>
      <Probe />
    </section>
  );
}

/** What is under the probe, as text. */
function Probe(): JSX.Element {
  const at = probe.value;
  const read = at && look.value && readPlane(look.value, at);
  const number = (v: number | undefined): string => (v === undefined ? '–' : v.toPrecision(3));
  return (
    <p id="probe" class="probe" role="status">
      {at && read
        ? `(${number(at[0])}, ${number(at[1])})  critic f = ${number(read.value)}, σ(f) = ${number(read.sigmoid)}, slope ‖∇f‖ = ${number(read.slope)}`
        : 'Point at the plane, or move with the arrow keys, to read critic and slope there.'}
    </p>
  );
}
