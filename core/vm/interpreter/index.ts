export { CodeArea } from "./code-area.ts";
export { createInterpreter, type Interpreter } from "./interpreter.ts";
