/** A native stand-in for the host, which records the worker's messages. `testing.js` sets its answers. */

export const run = { workerIndex: 0, workerCount: 1, passing: 'single', itemFormat: 'text', results: 'text', logged: [] };

export const workerIndex = () => run.workerIndex;
export const workerCount = () => run.workerCount;
export const argumentPassing = () => run.passing;
export const itemFormat = () => run.itemFormat;
export const resultFormat = (format) => { run.results = format; };
export const log = (level, message) => { run.logged.push([level, message]); };
