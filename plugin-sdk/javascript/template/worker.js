/** my-worker greets, and counts whom it has greeted. */

import { BadItem, plugin } from './mtl-plugin/index.js';

export class MyWorker {
  greeted = 0;

  /** Makes a worker, once for each. `greeting` is the text of --init. */
  constructor(greeting) {
    this.greeting = greeting || 'Hello';
  }

  /** Makes the record of one item. */
  call(name) {
    if (name === '') throw new BadItem('there is nobody to greet');
    this.greeted += 1;
    return `${this.greeting}, ${name}!`;
  }

  /** Makes the closing report. */
  finish() {
    return `greeted: ${this.greeted}`;
  }
}

export const worker = plugin(MyWorker);
