/** Forward mode on a recorded tape: tangents of the inputs to the tangent of an output, op by op. */

import { full } from '../ops/create.ts';
import { add } from '../ops/elementwise.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { guardSaved } from './apply.ts';
import { differentiate, grad, relevant } from './grad.ts';
import { enableGrad, type Node } from './node.ts';

/**
 * The derivative of `y` along tangents of `xs`, which lie on its tape; undefined where nothing leads from them to y.
 *
 * An op with a `jvp` of its own uses it. Any other op's vjp is linear in the cotangent u, so that its transpose, the
 * gradient of <vjp(u), tangent> with respect to u, is the Jacobian-vector product.
 */
export function pushForward(
  y: Tensor,
  xs: readonly Tensor[],
  tangents: readonly (Tensor | undefined)[],
  createGraph: boolean,
): Tensor | undefined {
  const of = new Map<Tensor, Tensor>();
  xs.forEach((x, i) => {
    const before = of.get(x);
    const v = tangents[i];
    if (v) of.set(x, before ? add(before, v) : v);
  });
  for (const node of [...relevant([y], xs)].reverse()) {
    const incoming = node.inputs.map((t) => of.get(t));
    if (incoming.every((v) => v === undefined)) continue;
    const { jvp } = node.row;
    const outgoing = jvp ? guardSaved(node, () => jvp(incoming, node)) : transposed(node, incoming, createGraph);
    node.outputs.forEach((t, k) => {
      const v = outgoing[k];
      if (v) of.set(t, v);
    });
  }
  return of.get(y);
}

function transposed(node: Node, tangents: readonly (Tensor | undefined)[], createGraph: boolean) {
  const us = node.outputs.map((t) => full(t.shape, 1).requireGrad());
  const needs = tangents.map((v) => v !== undefined);
  const pulled = enableGrad(() => differentiate(node, us, needs));
  const used = pulled.flatMap((g, i) => (g?.requiresGrad ? [i] : []));
  if (used.length === 0) return [];
  return grad(
    used.map((i) => pulled[i]!),
    us,
    { gradOutputs: used.map((i) => tangents[i]), createGraph, allowUnused: true },
  );
}
