import { plugin } from './mtl-plugin/index.js';

export class Greet {
  constructor(greeting) {
    this.greeting = greeting;
  }

  call(name) {
    return `${this.greeting}, ${name}!`;
  }
}

export const worker = plugin(Greet);
