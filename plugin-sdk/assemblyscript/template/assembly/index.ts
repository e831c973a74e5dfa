/** my-worker greets names and counts its greetings. */

import { Base, Result, Worker, start } from "../mtl-plugin";
export { after_restore, call, call_batch, finish, init, mtl_alloc } from "../mtl-plugin/exports";

class Greeter extends Worker {
  private greeted: i32 = 0;

  constructor(private readonly greeting: string) {
    super();
  }

  /** Returns the record of one item. */
  call(item: string): Result {
    if (item == "") return Result.badItem("there is nobody to greet");
    this.greeted++;
    return Result.text(`${this.greeting}, ${item}!`);
  }

  /** Returns the finish report. */
  finish(): Result {
    return Result.text(`greeted: ${this.greeted}`);
  }
}

// Starts a worker. `args` is the text of --init.
start((args: string): Base => new Greeter(args == "" ? "Hello" : args));
