/** Tests of items, arguments and exceptions. Run `node --test` in this folder. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { BadItem, Crash, Refused, plugin } from '../mtl-plugin/index.js';
import { elements, members } from '../mtl-plugin/json.js';
import { Instance } from '../mtl-plugin/testing.js';
import { NotUtf8, decodeUtf8, encodeUtf8 } from '../mtl-plugin/text.js';
import { Power } from './power/worker.js';
import { Probe } from './probe/worker.js';

const bad = (message) => ['bad-item', message];
const refused = (message) => ['refused', message];

/** Returns the result of an item in the notation of the tables. */
function result(instance, item) {
  try {
    return instance.call(item);
  } catch (error) {
    return [error instanceof BadItem ? 'bad-item' : 'refused', error.message];
  }
}

function assertResults(instance, cases) {
  for (const [item, expected] of cases) assert.deepEqual(result(instance, item), expected, `${item}`);
}

/** Returns a worker class with one parameter of this type. */
const of = (type) =>
  class {
    static parameters = { given: type };
    call(given) {
      return given instanceof Uint8Array ? `bytes ${given}` : `${typeof given} ${JSON.stringify(given, digits)}`;
    }
  };

const digits = (_, value) => (typeof value === 'bigint' ? String(value) : value);

test('the probe answers commands', () => {
  const probe = new Instance(Probe, 'hello', { workerIndex: 1, workerCount: 2 });
  assertResults(probe, [
    ['', ''],
    ['echo a b', 'a b'],
    ['bytes 3', 'xxx'],
    ['state', '4'],
    ['init', 'hello'],
    ['refuse no é', refused('no é')],
    ['bad no', bad('no')],
    ['skip', undefined],
    ['worker', '1/2'],
    ['format', 'text'],
    ['log warn take care', 'logged'],
    ['dance', bad('unknown command `dance`')],
    ['', ''],
  ]);
  assert.deepEqual(probe.logged, [['warn', 'take care']]);
  assert.equal(probe.finish(), 'calls: 13');
  assert.throws(() => probe.call('trap'), Crash);
});

test('the format that the constructor declares holds for every record', () => {
  const probe = new Instance(Probe, 'json');
  assert.equal(probe.resultFormat, 'json');
  assert.equal(result(probe, 'echo a "b" é'), '"a \\"b\\" é"');
  assert.throws(() => new Instance(Probe, 'fail no model'), new Refused('no model'));
});

test('init is read by its type', () => {
  const of = (init) =>
    class {
      static init = init;
      constructor(given) {
        this.given = given;
      }
      call() {
        return JSON.stringify(this.given) ?? 'undefined';
      }
    };
  for (const [type, given, expected] of [
    [undefined, '', '""'],
    [undefined, ' a ', '" a "'],
    ['json', '{"depth": 3}', '{"depth":3}'],
    ['json?', '', 'undefined'],
    ['json', '', refused('this worker needs arguments, as JSON')],
    ['json', '{', refused('not the expected JSON')],
    ['u8', '300', refused('invalid value: integer `300`, expected u8')],
  ]) {
    let answer;
    try {
      answer = new Instance(of(type), given).call('');
    } catch (error) {
      answer = refused(error.message.startsWith('not the expected JSON') ? error.message.split(':')[0] : error.message);
    }
    assert.deepEqual(answer, expected, `${type} ${given}`);
  }
});

test('an exception is refused, and a returned value is the result', () => {
  class Returns {
    static parameters = { command: 'text' };
    call(command) {
      switch (command) {
        case 'bug': return undefined.length;
        case 'text': throw 'as text';
        case 'bytes': return Uint8Array.of(0x61);
        case 'null': return null;
        case 'big': return 1n << 64n;
        case 'list': return [1, 'a'];
        case 'nan': return NaN;
        default: return Promise.resolve(command);
      }
    }
  }
  assertResults(new Instance(Returns), [
    ['bug', refused("TypeError: Cannot read properties of undefined (reading 'length')")],
    ['text', refused('as text')],
    ['bytes', 'a'],
    ['null', undefined],
    ['big', '18446744073709551616'],
    ['list', '[1,"a"]'],
    ['nan', refused('TypeError: the result is `NaN`, which JSON cannot represent')],
    ['later', refused('TypeError: `call` must return its result directly, not a promise')],
  ]);
});

test('an array fills the parameters by position', () => {
  assertResults(new Instance(Power, '', { passing: 'args' }), [
    ['[2, 10]', '1024'],
    [' [-3, 3, null]\n', '-27'],
    ['[-3, 3, 10]', '3'],
    ['[-1, 4294967295]', '-1'],
    ['[3037000500, 2]', refused('the power has more than 64 bits')],
    ['[-2, 63]', '-9223372036854775808'],
    ['[10, 19]', refused('the power has more than 64 bits')],
    ['[2, 3, 0]', bad('nothing can be divided by this `modulus`')],
    ['[2]', bad('parameter `exponent` is missing')],
    ['[2, -1]', bad('parameter `exponent`: invalid value: integer `-1`, expected u32')],
    ['[2, 1.0]', bad('parameter `exponent`: invalid type: floating point `1.0`, expected u32')],
    ['[9223372036854775808, 1]', bad('parameter `base`: invalid value: integer `9223372036854775808`, expected i64')],
    ['[2, 3, 5, 7]', bad('an array of 4 elements, and the parameters are `base`, `exponent` and `modulus`')],
    ['5', bad('invalid type: integer `5`, expected an array of the parameters `base`, `exponent` and `modulus`')],
  ]);
});

test('an object fills them by name', () => {
  assertResults(new Instance(Power, '', { passing: 'kwargs' }), [
    ['{"exponent": 10, "base": 2}', '1024'],
    ['{"b\\u0061se": 2, "exponent": 10, "modulus": 100}', '24'],
    ['{"base": 2}', bad('parameter `exponent` is missing')],
    ['{"base": "two", "exponent": 1}', bad('parameter `base`: invalid type: string "two", expected i64')],
    ['{"base": 2, "power": 1}', bad('unknown parameter `power`; the parameters are `base`, `exponent` and `modulus`')],
    ['{"base": 2, "base": 2}', bad('parameter `base` is given twice')],
    ['[1, 2]', bad('invalid type: sequence, expected an object with the parameters `base`, `exponent` and `modulus`')],
  ]);
});

test('an item that is not UTF-8 is a bad item', () => {
  assert.deepEqual(result(new Instance(of('text')), Uint8Array.of(0x61, 0xff)), bad('not UTF-8 from byte 1 on'));
  assert.deepEqual(result(new Instance(of('number')), Uint8Array.of(0x61, 0xff)), bad('not UTF-8 from byte 1 on'));
});

test('an item that is not JSON is a bad item, and a single item cannot fill three parameters', () => {
  for (const item of ['', '[1', '[1] 2', '[NaN]', Uint8Array.of(0x5b, 0xff, 0x5d)]) {
    const [kind, message] = result(new Instance(Power, '', { passing: 'args' }), item);
    assert.equal(kind, 'bad-item');
    assert.match(message, /^not a JSON array: /);
  }
  assert.throws(() => new Instance(Power), /has 3 parameters, `base`, `exponent` and `modulus`: use `--args args`/);
});

test('a parameter is read by its type', () => {
  for (const [type, given, item, expected] of [
    ['text', 'text', '"a"', 'string "\\"a\\""'],
    ['text', 'json', ' "a\\n" ', 'string "a\\n"'],
    ['text', 'json', '[1]', 'string "[1]"'],
    ['text', 'inside', '"a"', 'string "a"'],
    ['bytes', 'text', 'é', 'bytes 195,169'],
    ['bytes', 'inside', '"é"', 'bytes 195,169'],
    ['text?', 'text', 'null', 'string "null"'],
    ['text?', 'json', ' null ', 'undefined undefined'],
    ['number?', 'text', 'null', 'undefined undefined'],
    ['u8', 'text', ' 255\r', 'number 255'],
    ['u64', 'inside', '18446744073709551615', 'bigint "18446744073709551615"'],
    ['number', 'inside', '3', 'number 3'],
    ['json', 'inside', '{"a":[",]"]}', 'object {"a":[",]"]}'],
    ['json', 'inside', 'null', 'object null'],
    ['text', 'inside', '1', bad('invalid type: integer `1`, expected a string')],
    ['u8', 'inside', '256', bad('invalid value: integer `256`, expected u8')],
    ['i64', 'inside', 'true', bad('invalid type: boolean `true`, expected i64')],
    ['integer', 'inside', '1.5', bad('invalid type: floating point `1.5`, expected integer')],
    ['integer', 'inside', '9007199254740992', bad('invalid value: integer `9007199254740992`, expected integer')],
    ['integer', 'inside', '"1"', bad('invalid type: string "1", expected integer')],
    ['number', 'text', '1e999', bad('number out of range')],
    ['boolean', 'inside', '1', bad('invalid type: integer `1`, expected a boolean')],
  ]) {
    const options = given === 'inside' ? { passing: 'args' } : { itemFormat: given };
    const answer = Array.isArray(expected) ? bad(`parameter \`given\`: ${expected[1]}`) : expected;
    assert.deepEqual(result(new Instance(of(type), '', options), given === 'inside' ? `[${item}]` : item), answer, item);
  }
  assert.throws(() => plugin(of('float')), /parameter `given` cannot have the type 'float'/);
});

test('JSON is split into the texts of its values', () => {
  assert.deepEqual(elements(' [ {"a,": [1]} , "],\\"", 1 ]'), ['{"a,": [1]}', '"],\\""', '1']);
  assert.deepEqual(elements('[]'), []);
  assert.deepEqual(members('{"a:" : {"b":1}, "\\u0062":"}"}'), [['a:', '{"b":1}'], ['b', '"}"']]);
  assert.deepEqual(members('{ }'), []);
});

test('text is converted to and from UTF-8 without TextEncoder', () => {
  for (const text of ['', 'a', 'é€😀', 'x'.repeat(5000), 'é'.repeat(5000), `${'x'.repeat(4094)}😀`, `${'x'.repeat(4095)}😀é`, '\u{10ffff}\ufeff']) {
    assert.deepEqual(encodeUtf8(text), new TextEncoder().encode(text));
    assert.equal(decodeUtf8(encodeUtf8(text)), text);
  }
  assert.deepEqual([...encodeUtf8('\ud800a')], [0xef, 0xbf, 0xbd, 0x61]);
  for (const [bytes, from] of [
    [[0x80], 0],
    [[0x61, 0xc3], 1],
    [[0xc0, 0x80], 0],
    [[0xe0, 0x80, 0x80], 0],
    [[0xed, 0xa0, 0x80], 0],
    [[0xf4, 0x90, 0x80, 0x80], 0],
    [[0xc3, 0xa9, 0xf0, 0x9f, 0x98], 2],
    [[0xff], 0],
    [[...Array(4095).fill(0x61), 0xf0, 0x9f, 0x98], 4095],
    [[...Array(4096).fill(0x61), 0x80], 4096],
    [Array(9000).fill(0x80), 0],
  ]) {
    assert.throws(() => decodeUtf8(Uint8Array.from(bytes)), new NotUtf8(`not UTF-8 from byte ${from} on`), `${bytes}`);
  }
});
