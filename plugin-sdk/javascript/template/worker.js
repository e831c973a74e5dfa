/** my-worker: says of each line how long it is. */

import { BadItem, plugin } from './mtl-plugin/index.js';

export class MyWorker {
  /** `unit` is the text of `--init`. Runs once in each worker; what is made here is kept from item to item. */
  constructor(unit) {
    this.unit = unit || 'characters';
  }

  call(item) {
    if (item === '') throw new BadItem('an empty line');
    return `${[...item].length} ${this.unit}`;
  }
}

export const worker = plugin(MyWorker);
