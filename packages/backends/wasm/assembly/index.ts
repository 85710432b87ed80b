/** Entry of the compiled modules. */
export { closeWorkers, runAlone, runShared, runWorker } from './scheduler';
