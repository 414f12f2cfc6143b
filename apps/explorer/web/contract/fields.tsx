import { useId } from "react";
import { contract as section } from "../i18n/contract.ts";
import { useText } from "../i18n/language.ts";
import { type ParsedInput, parseInput } from "./abi-input.ts";
import type { AbiParameter } from "./abi-types.ts";

type FieldsProps = {
  readonly parameters: readonly AbiParameter[];
  readonly texts: readonly string[];
  /** What is wrong is said only after the first attempt. */
  readonly showsProblems: boolean;
  readonly onChange: (texts: readonly string[]) => void;
};

/** One field for each argument of a function. */
export function ArgumentFields({ parameters, texts, showsProblems, onChange }: FieldsProps) {
  return parameters.map((parameter, index) => (
    <ArgumentField
      // biome-ignore lint/suspicious/noArrayIndexKey: arguments have places, and may have no names
      key={index}
      parameter={parameter}
      text={texts[index] ?? ""}
      showsProblem={showsProblems}
      onChange={(text) =>
        onChange(parameters.map((_, place) => (place === index ? text : (texts[place] ?? ""))))
      }
    />
  ));
}

type FieldProps = {
  readonly parameter: AbiParameter;
  readonly text: string;
  readonly showsProblem: boolean;
  readonly onChange: (text: string) => void;
};

function ArgumentField({ parameter, text, showsProblem, onChange }: FieldProps) {
  const t = useText(section);
  const id = useId();
  const parsed = parseInput(parameter, text);
  const problem = showsProblem && !parsed.ok ? t(`problem_${parsed.problem}`) : undefined;
  return (
    <div className="field">
      <label htmlFor={id}>
        {parameter.name === undefined || parameter.name === "" ? parameter.type : parameter.name}{" "}
        <span className="muted mono">{parameter.type}</span>
      </label>
      <input
        id={id}
        className="input mono"
        value={text}
        onChange={(event) => onChange(event.target.value)}
        aria-invalid={problem !== undefined}
        aria-describedby={problem === undefined ? undefined : `${id}-problem`}
        autoComplete="off"
        spellCheck={false}
      />
      {problem === undefined ? null : (
        <span id={`${id}-problem`} className="field-error" role="alert">
          {problem}
        </span>
      )}
    </div>
  );
}

/** The arguments that texts stand for; undefined if one of them stands for nothing. */
export function parseArguments(
  parameters: readonly AbiParameter[],
  texts: readonly string[],
): readonly unknown[] | undefined {
  const parsed: readonly ParsedInput[] = parameters.map((parameter, index) =>
    parseInput(parameter, texts[index] ?? ""),
  );
  return parsed.every((one) => one.ok) ? parsed.map(({ value }) => value) : undefined;
}
