/** Answers commands, so that one table of items in tests/integration/languages.rs tests every part of every SDK. */

import { BadItem, Crash, Refused, context, decoded, encoded, log, plugin } from './mtl-plugin/index.js';

const ECHO = encoded('echo ');

export class Probe {
  static parameters = { item: 'bytes' };

  calls = 0;

  constructor(init) {
    if (init.startsWith('fail ')) throw new Refused(init.slice(5));
    this.isJson = init === 'json';
    if (this.isJson) context.resultFormat('json');
    this.init = init;
  }

  call(item) {
    this.calls += 1;
    // `echo` takes any bytes; all other commands are text.
    if (!this.isJson && ECHO.every((byte, at) => item[at] === byte)) return item.slice(ECHO.length);
    return this.answer(decoded(item));
  }

  answer(item) {
    const [command, rest] = cut(item);
    switch (command) {
      case '': return '';
      case 'echo': return rest;
      case 'bytes': return 'x'.repeat(Number(rest));
      case 'state': return String(this.calls);
      case 'init': return this.init;
      case 'refuse': throw new Refused(rest);
      case 'bad': throw new BadItem(rest);
      case 'skip': return undefined;
      case 'worker': return `${context.workerIndex()}/${context.workerCount()}`;
      case 'format': return context.itemFormat();
      case 'log': {
        const [level, message] = cut(rest);
        log(level, message);
        return 'logged';
      }
      case 'trap': throw new Crash('as asked');
      default: throw new BadItem(`unknown command \`${item}\``);
    }
  }

  finish() {
    return `calls: ${this.calls}`;
  }
}

function cut(text) {
  const space = text.indexOf(' ');
  return space < 0 ? [text, ''] : [text.slice(0, space), text.slice(space + 1)];
}

export const worker = plugin(Probe);
