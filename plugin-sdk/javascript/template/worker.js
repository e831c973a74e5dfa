/** my-worker greets names and counts its greetings. */

import { BadItem, plugin } from './mtl-plugin/index.js';

export class MyWorker {
  greeted = 0;

  /** Starts a worker. `greeting` is the text of --init. */
  constructor(greeting) {
    this.greeting = greeting || 'Hello';
  }

  /** Returns the record of one item. */
  call(name) {
    if (name === '') throw new BadItem('there is nobody to greet');
    this.greeted += 1;
    return `${this.greeting}, ${name}!`;
  }

  /** Returns the finish report. */
  finish() {
    return `greeted: ${this.greeted}`;
  }
}

export const worker = plugin(MyWorker);
