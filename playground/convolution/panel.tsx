/** A convolution as a matrix: x, u, U, its transpose, and what both make. */
import { computed, signal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { convolved, device, request } from '../page/store.ts';
import { type Convolution, resized } from './convolution.ts';
import { lecture } from './lecture.ts';

const asked = signal<Convolution>(lecture);
/** Whether the transposed convolution is shown. */
const transposed = signal(false);
/** Whether the result is computed as the gradient of the other one. */
const asGradient = signal(false);
/** The cell of U that is looked at: its row, a place of the result, and its column, a place of the image. */
const cell = signal<readonly [row: number, column: number] | undefined>(undefined);

const ask = (): void => request({ kind: 'convolve', convolution: asked.value });

function change(to: Partial<Convolution>): void {
  asked.value = resized(asked.value, to);
  cell.value = undefined;
  ask();
}

/** The place of the kernel that a cell of U stands for, if the kernel reaches the place of the image. */
const kernelPlace = computed((): number | undefined => {
  const at = cell.value;
  const c = convolved.value;
  if (!at || !c) return undefined;
  const { size, kernel, stride, padding } = c.asked;
  const dy = Math.floor(at[1] / size) - Math.floor(at[0] / c.out) * stride + padding;
  const dx = (at[1] % size) - (at[0] % c.out) * stride + padding;
  return dy >= 0 && dx >= 0 && dy < kernel && dx < kernel ? dy * kernel + dx : undefined;
});

const rounded = (v: number): string => String(Number(v.toPrecision(6))).replace('-', '−');

interface TableProps {
  readonly name: string;
  readonly side: number;
  readonly values: readonly number[];
  readonly lit: number | undefined;
  readonly change?: (values: readonly number[]) => void;
}

/** A square of numbers, which can be edited if somebody listens. */
function Square({ name, side, values, lit, change }: TableProps): JSX.Element {
  const rows = Array.from({ length: side }, (_, i) => i);
  const replaced = (at: number, input: HTMLInputElement): void => {
    const value = input.valueAsNumber;
    if (Number.isFinite(value)) change!(values.map((v, i) => (i === at ? value : v)));
    else input.value = String(values[at]);
  };
  return (
    <table class="square">
      <caption>{name}</caption>
      <tbody>
        {rows.map((r) => (
          <tr key={r}>
            {rows.map((c) => {
              const at = r * side + c;
              return (
                <td key={c} class={lit === at ? 'lit' : ''}>
                  {change ? (
                    <input
                      type="number"
                      step="any"
                      aria-label={`${name}, row ${r + 1}, column ${c + 1}`}
                      value={values[at]}
                      onChange={({ currentTarget }) => replaced(at, currentTarget)}
                    />
                  ) : (
                    rounded(values[at]!)
                  )}
                </td>
              );
            })}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Size({
  of,
  name,
  least,
  most,
}: {
  of: 'size' | 'kernel' | 'stride' | 'padding';
  name: string;
  least: number;
  most: number;
}): JSX.Element {
  return (
    <label>
      {name}{' '}
      <input
        type="number"
        id={`conv-${of}`}
        min={least}
        max={most}
        value={asked.value[of]}
        onChange={({ currentTarget }) => {
          const value = currentTarget.valueAsNumber;
          if (Number.isInteger(value) && value >= least && value <= most) change({ [of]: value });
          currentTarget.value = String(asked.value[of]);
        }}
      />
    </label>
  );
}

/** Arrow keys go from cell to cell of the matrix. */
function moved(event: KeyboardEvent, rows: number, columns: number): void {
  const by = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
  if (!by) return;
  event.preventDefault();
  const [r, c] = cell.value ?? [0, 0];
  const down = transposed.value ? [by[1]!, by[0]!] : by;
  cell.value = [Math.max(0, Math.min(rows - 1, r + down[0]!)), Math.max(0, Math.min(columns - 1, c + down[1]!))];
}

/** U, or its transpose, cell by cell. */
function Matrix(): JSX.Element {
  const { matrix, out, asked: of } = convolved.value!;
  const [rows, columns] = [out ** 2, of.size ** 2];
  const flip = transposed.value;
  const [down, across] = flip ? [columns, rows] : [rows, columns];
  return (
    <section
      class="scroll"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys go from cell to cell
      tabIndex={0}
      aria-label={`${flip ? 'U transposed' : 'U'}: arrow keys go from cell to cell`}
      onKeyDown={(event) => moved(event, rows, columns)}
    >
      <table class="matrix">
        <caption>
          {flip ? 'Uᵀ' : 'U'}, {down} × {across}: one row for each value of the result
        </caption>
        <tbody>
          {Array.from({ length: down }, (_, i) => (
            <tr key={i}>
              {Array.from({ length: across }, (_, j) => {
                const [r, c] = flip ? [j, i] : [i, j];
                const v = matrix[r * columns + c]!;
                const lit = cell.value?.[0] === r && cell.value[1] === c;
                return (
                  <td
                    key={j}
                    class={lit ? 'lit' : v === 0 ? 'zero' : ''}
                    onPointerEnter={() => {
                      cell.value = [r, c];
                    }}
                  >
                    {rounded(v)}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** The sum behind the row of the cell that is looked at, and what the cell stands for. */
function Products(): JSX.Element {
  const c = convolved.value!;
  const at = cell.value;
  if (!at)
    return <p>Point at a cell of the matrix, or go there with the arrow keys: it says which products it stands for.</p>;
  const columns = c.asked.size ** 2;
  const [row, column] = at;
  const flip = transposed.value;
  const [from, to] = flip ? [c.asked.z, c.transposed[column]!] : [c.asked.x, c.forward[row]!];
  const weight = (i: number): number => (flip ? c.matrix[i * columns + column]! : c.matrix[row * columns + i]!);
  const terms = from.flatMap((v, i) => (weight(i) === 0 ? [] : [`${rounded(weight(i))}·${rounded(v)}`]));
  const place = kernelPlace.value;
  const [k, s] = [c.asked.kernel, flip ? c.out : c.asked.size];
  const i = flip ? row : column;
  return (
    <p>
      {place === undefined
        ? 'This cell is 0: the kernel does not reach there. '
        : `This cell is u${Math.floor(place / k) + 1}${(place % k) + 1} = ${rounded(c.matrix[row * columns + column]!)}, times ${flip ? 'z' : 'x'}${Math.floor(i / s) + 1}${(i % s) + 1} = ${rounded(from[i]!)}. `}
      Its row: {terms.join(' + ') || '0'} = <b>{rounded(to)}</b>
    </p>
  );
}

/** The panel. */
export function ConvolutionPanel(): JSX.Element {
  const ready = device.value !== undefined;
  useEffect(() => {
    if (ready && !convolved.value) ask();
  }, [ready]);
  const c = convolved.value;
  const flip = transposed.value;
  const [row, column] = cell.value ?? [];
  const gradient = asGradient.value;
  return (
    <section class="convolution" aria-label="Convolution">
      <div class="tape-steps">
        <label>
          shows{' '}
          <select
            id="conv-which"
            value={flip ? 'transposed' : 'forward'}
            onChange={({ currentTarget }) => {
              transposed.value = currentTarget.value === 'transposed';
            }}
          >
            <option value="forward">the convolution, U v(x)</option>
            <option value="transposed">the transposed convolution, Uᵀ v(z)</option>
          </select>
        </label>
        <Size of="size" name="size of x" least={2} most={6} />
        <Size of="kernel" name="of u" least={1} most={5} />
        <Size of="stride" name="stride" least={1} most={3} />
        <Size of="padding" name="padding" least={0} most={2} />
        <button type="button" onClick={() => change(lecture)}>
          The lecture's numbers
        </button>
        <label>
          <input
            type="checkbox"
            checked={gradient}
            onChange={({ currentTarget }) => {
              asGradient.value = currentTarget.checked;
            }}
          />{' '}
          this is the gradient of the other one
        </label>
      </div>
      {c ? (
        <>
          <div class="squares">
            {flip ? (
              <Square name="z" side={c.out} values={c.asked.z} lit={row} change={(z) => change({ z })} />
            ) : (
              <Square name="x" side={c.asked.size} values={c.asked.x} lit={column} change={(x) => change({ x })} />
            )}
            <Square
              name="u"
              side={c.asked.kernel}
              values={c.asked.u}
              lit={kernelPlace.value}
              change={(u) => change({ u })}
            />
            {flip ? (
              <Square name="Uᵀ v(z)" side={c.asked.size} values={c.transposed} lit={column} />
            ) : (
              <Square name="U v(x)" side={c.out} values={c.forward} lit={row} />
            )}
            {gradient && (
              <Square
                name="by grad"
                side={flip ? c.asked.size : c.out}
                values={flip ? c.gradientOfForward : c.gradientOfTransposed}
                lit={flip ? column : row}
              />
            )}
          </div>
          {gradient && (
            <p>
              {flip
                ? 'By grad: the gradient of the sum of z · (U v(x)) by x. It is the transposed convolution of z.'
                : 'By grad: the gradient of the sum of x · (Uᵀ v(z)) by z. It is the convolution of x.'}
            </p>
          )}
          <div role="status">
            <Products />
          </div>
          <Matrix />
        </>
      ) : (
        <p>Computing …</p>
      )}
    </section>
  );
}
