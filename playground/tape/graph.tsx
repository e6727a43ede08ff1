/** The picture of a tape: boxes from the top down, forward values in black, cotangents in the colour of the critic. */

import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { recording } from '../page/store.ts';
import { at, chosen, found, seen, shortNumbers } from './stepping.ts';
import { BOX, type GraphNode } from './subjects.ts';

const { width: WIDE, height: HIGH } = BOX;

/** The outline of a box: leaves are rounded, the second order has cut corners. */
function outline({ op, from, x, y }: GraphNode): JSX.Element {
  const [l, t] = [x - WIDE / 2, y - HIGH / 2];
  if (!from) return <rect x={l} y={t} width={WIDE} height={HIGH} rx={op ? 3 : HIGH / 2} />;
  const c = 12;
  const [r, b] = [l + WIDE, t + HIGH];
  return <path d={`M${l + c} ${t}H${r - c}L${r} ${y}L${r - c} ${b}H${l + c}L${l} ${y}Z`} />;
}

function Box({ node }: { readonly node: GraphNode }): JSX.Element {
  const { forward, now, cotangents } = seen.value;
  const { id, x, y } = node;
  const here = now ? now.id === id : at.value === id;
  const known = id <= at.value;
  const cotangent = at.value >= forward ? cotangents.get(id) : undefined;
  const receives = now?.outgoing.some((o) => o.id === id) ?? false;
  const classes = [
    'box',
    node.op ? '' : 'leaf',
    node.from ? 'second' : '',
    here ? 'here' : '',
    receives ? 'receives' : '',
    known ? '' : 'later',
    found.value.has(id) ? 'found' : '',
    chosen.value === id ? 'chosen' : '',
  ];
  return (
    // biome-ignore lint/a11y/useSemanticElements: a button cannot stand in SVG
    <g
      class={classes.filter(Boolean).join(' ')}
      role="button"
      // Attributes of SVG know capitals: tabIndex would not let it be focused.
      tabindex={0}
      aria-pressed={chosen.value === id}
      data-id={id}
      onClick={() => {
        chosen.value = id;
      }}
      onKeyDown={(event) => {
        if (event.key !== 'Enter' && event.key !== ' ') return;
        event.preventDefault();
        event.stopPropagation();
        chosen.value = id;
      }}
    >
      {outline(node)}
      <text x={x} y={y - 9} class="name">
        %{id} {node.name.length > 18 ? `${node.name.slice(0, 17)}…` : node.name}
      </text>
      <text x={x} y={y + 4}>
        {known ? shortNumbers(node.value, node.shape, 2) : `[${node.shape.join('×')}]`}
      </text>
      {cotangent && (
        <text x={x} y={y + 17} class="cotangent">
          g {shortNumbers({ ...cotangent, shape: cotangent.first.length > 2 ? cotangent.shape : [] }, [], 2)}
        </text>
      )}
    </g>
  );
}

/** The picture; the box of the present step is kept in sight. */
export function Graph(): JSX.Element {
  const frame = useRef<HTMLElement>(null);
  const { nodes, now } = seen.value;
  const id = now?.id ?? at.value;
  useEffect(() => {
    const [box, node] = [frame.current, nodes[id - 1]];
    if (!box || !node) return;
    box.scrollTo({ left: node.x - box.clientWidth / 2, top: node.y - box.clientHeight / 2 });
  }, [id, nodes]);
  const { width, height } = recording.value!;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys
    <section class="graph" ref={frame} tabIndex={0} aria-label="The tape as a graph: arrow keys step">
      <svg width={width} height={height}>
        <title>Entries of the tape, from the top down</title>
        {nodes.flatMap((node) =>
          node.inputs.map((from, i) => {
            const [a, b] = [nodes[from - 1]!, node];
            const [top, end] = [a.y + HIGH / 2, b.y - HIGH / 2];
            const back = now?.id === node.id && now.outgoing.some((o) => o.id === from);
            const bend = (top + end) / 2;
            return (
              <path
                key={`${from} ${node.id} ${i}`}
                class={back ? 'edge back' : node.from ? 'edge second' : 'edge'}
                d={`M${a.x} ${top}C${a.x} ${bend} ${b.x} ${bend} ${b.x} ${end}`}
              />
            );
          }),
        )}
        {nodes.map((node) => (
          <Box key={node.id} node={node} />
        ))}
      </svg>
    </section>
  );
}
