import { Base, Result, Worker, start } from "../mtl-plugin";
export * from "../mtl-plugin/exports";

class Greet extends Worker {
  constructor(private readonly greeting: string) { super(); }

  call(name: string): Result {
    return Result.text(`${this.greeting}, ${name}!`);
  }
}

start((greeting: string): Base => new Greet(greeting));
