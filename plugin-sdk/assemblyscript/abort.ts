/** Ends the instance after `abort`, `throw` or a failed assertion: `--use abort=mtl-plugin/abort/abort`. */

import { Level, log } from "./context";

export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  const reason = message == null ? "aborted" : message;
  const position = file == null ? "" : ` at ${file}:${line}:${column}`;
  log(Level.Error, reason + position);
  unreachable();
}
