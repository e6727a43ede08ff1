/** Places for the boxes of a graph. */
import dagre from '@dagrejs/dagre';
import { BOX } from './subjects.ts';

/** Where each box stands, by its place in the list, and how large the picture is. */
export interface Layout {
  readonly places: readonly { readonly x: number; readonly y: number }[];
  readonly width: number;
  readonly height: number;
}

/** Lays out a graph from the top down: what is read stands above what reads it. @param nodes each with the ids that it reads */
export function layout(nodes: readonly { readonly id: number; readonly inputs: readonly number[] }[]): Layout {
  const graph = new dagre.graphlib.Graph();
  graph.setGraph({ rankdir: 'TB', nodesep: 16, ranksep: 30, marginx: 8, marginy: 8 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { id } of nodes) graph.setNode(String(id), { ...BOX });
  for (const { id, inputs } of nodes) for (const from of inputs) graph.setEdge(String(from), String(id));
  dagre.layout(graph);
  const places = nodes.map(({ id }) => {
    const { x, y } = graph.node(String(id)) as { x: number; y: number };
    return { x, y };
  });
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number };
  return { places, width, height };
}
