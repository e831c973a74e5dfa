/** The host's side of the context, in a plugin. */

export {
  argumentPassing,
  itemFormat,
  log,
  resultFormat,
  workerCount,
  workerIndex,
} from 'mtl:plugin/context@1.0.0';
