/**
 * What of `wgrad/gan` needs Node.
 * @module wgrad/gan/node
 */

// Divergences and optimal transport.
export {
  type DiscreteTransport,
  MAX_TRANSPORT_PAIRS,
  solveTransport,
  type WassersteinLpOptions,
  type WassersteinTransport,
  wassersteinLp,
} from './transport/linearProgram.node.ts';
