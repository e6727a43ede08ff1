/** The controls of the settings: each is made from its row of the table. */
import type { JSX } from 'preact';
import {
  activationTitles,
  dataTitles,
  namesIn,
  objectives,
  optimizerTitles,
  regularizers,
  splitRegularizer,
} from '../setup/choices.ts';
import { entries, setupNames } from '../setup/entries.ts';
import type { Entry, Group, Setup } from '../setup/setup.ts';
import { Drawing } from './drawing.tsx';
import { change, isLocked, isShown, setup } from './store.ts';

/** What a choice is called. */
const titles: Readonly<Record<string, string>> = {
  ...dataTitles,
  ...activationTitles,
  ...optimizerTitles,
  ...Object.fromEntries(namesIn(objectives).map((name) => [name, objectives[name].title])),
};

const shortly = (value: number): string => String(Number(value.toPrecision(4)));

/** Sets one setting. What it may not be is not taken, and the control says what it may. */
function set<K extends keyof Setup>(name: K, value: Setup[K], input?: HTMLInputElement): void {
  const { range } = entries[name];
  const holds = range.holds(value);
  input?.setCustomValidity(holds ? '' : `${entries[name].title} is ${range.says}`);
  if (!holds) {
    input?.reportValidity();
    return;
  }
  change({ ...setup.value, [name]: value });
}

function Choice({ name, id }: { readonly name: keyof Setup; readonly id: string }): JSX.Element {
  const entry = entries[name] as Entry<unknown>;
  const value = setup.value[name];
  const offers = entry.offers ? [...new Set([...entry.offers, value as number])].sort((a, b) => a - b) : undefined;
  return (
    <select
      id={id}
      value={String(value)}
      disabled={isLocked(name)}
      onChange={({ currentTarget }) => set(name, (offers ? Number(currentTarget.value) : currentTarget.value) as never)}
    >
      {(offers ?? entry.choices ?? []).map((one) => (
        <option key={one} value={String(one)}>
          {typeof one === 'number' ? shortly(one) : (titles[one] ?? one)}
        </option>
      ))}
    </select>
  );
}

function Numbers({ name, id }: { readonly name: keyof Setup; readonly id: string }): JSX.Element {
  const { bounds } = entries[name] as Entry<unknown>;
  return (
    <input
      id={id}
      type="number"
      inputMode="numeric"
      min={bounds?.[0]}
      max={bounds?.[1]}
      value={String(setup.value[name])}
      disabled={isLocked(name)}
      onChange={({ currentTarget }) => set(name, Number(currentTarget.value) as never, currentTarget)}
    />
  );
}

/** One setting: its name, what it is, its control. */
function Control({ name }: { readonly name: keyof Setup }): JSX.Element | null {
  const entry = entries[name] as Entry<unknown>;
  if (!isShown(name) || entry.applies?.(setup.value) === false) return null;
  const id = `set-${name}`;
  return (
    <div class="control">
      <label for={id} title={entry.about}>
        {entry.title}
      </label>
      {name === 'betas' ? (
        <Betas id={id} />
      ) : entry.choices || entry.offers ? (
        <Choice name={name} id={id} />
      ) : (
        <span class="with-button">
          <Numbers name={name} id={id} />
          {name === 'seed' && (
            <button
              type="button"
              title="another seed"
              aria-label="+1: another seed"
              disabled={isLocked('seed')}
              onClick={() => set('seed', (setup.value.seed + 1) % 2 ** 31)}
            >
              +1
            </button>
          )}
        </span>
      )}
    </div>
  );
}

function Betas({ id }: { readonly id: string }): JSX.Element {
  const { betas } = setup.value;
  const at = (i: 0 | 1) => ({
    type: 'number' as const,
    min: 0,
    max: 0.9999,
    step: 'any',
    value: String(betas[i]),
    disabled: isLocked('betas'),
    onChange: ({ currentTarget }: { currentTarget: HTMLInputElement }) =>
      set(
        'betas',
        i === 0 ? [Number(currentTarget.value), betas[1]] : [betas[0], Number(currentTarget.value)],
        currentTarget,
      ),
  });
  return (
    <span class="two">
      <input id={id} aria-label="β₁" {...at(0)} />
      <input aria-label="β₂" {...at(1)} />
    </span>
  );
}

/** The controls of a group, in the order of the table. */
export function Controls({ group, title }: { readonly group: Group; readonly title: string }): JSX.Element | null {
  const names = setupNames.filter(
    (name) => entries[name].group === group && name !== 'regularizers' && name !== 'points',
  );
  if (!isShown(group) || names.every((name) => !isShown(name))) return null;
  return (
    <fieldset class="controls">
      <legend>{title}</legend>
      {names.map((name) => (
        <Control key={name} name={name} />
      ))}
      {group === 'data' && <Drawing />}
    </fieldset>
  );
}

/** Check boxes of the regularisers, with their strengths. */
export function Regularizers(): JSX.Element | null {
  if (!isShown('regularizers')) return null;
  const chosen = new Map(setup.value.regularizers.map(splitRegularizer));
  const locked = isLocked('regularizers');
  const write = (next: ReadonlyMap<string, number | undefined>, input?: HTMLInputElement): void =>
    set(
      'regularizers',
      namesIn(regularizers)
        .filter((name) => next.has(name))
        .map((name) => (next.get(name) === undefined ? name : `${name}=${next.get(name)}`)),
      input,
    );
  return (
    <fieldset class="controls">
      <legend>Regularisers of the critic</legend>
      {namesIn(regularizers).map((name) => {
        const { title, strength, source } = regularizers[name];
        const on = chosen.has(name);
        return (
          <div class="control" key={name}>
            <label title={source}>
              <input
                type="checkbox"
                checked={on}
                disabled={locked}
                onChange={() => {
                  const next = new Map(chosen);
                  if (!next.delete(name)) next.set(name, strength?.[1]);
                  write(next);
                }}
              />{' '}
              {title}
            </label>
            {on && strength && (
              <input
                type="number"
                min={0}
                step="any"
                aria-label={`${strength[0]} of ${title}`}
                value={String(chosen.get(name) ?? strength[1])}
                disabled={locked}
                onChange={({ currentTarget }) =>
                  write(new Map(chosen).set(name, Number(currentTarget.value)), currentTarget)
                }
              />
            )}
          </div>
        );
      })}
    </fieldset>
  );
}
