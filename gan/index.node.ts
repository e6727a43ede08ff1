/**
 * What of the GAN library needs Node: files. The rest is in `wgrad/gan`, for browsers too.
 * @module wgrad/gan/node
 */
export { type AnimateRunOptions, type AnimationOptions, animateRun, writeAnimation } from './run/animation.node.ts';
export { boxOf, type PointsPlot, plotPoints, pointsImage } from './run/points.node.ts';
