import type { ComponentProps } from "react";

type ButtonProps = Omit<ComponentProps<"button">, "className"> & {
  readonly kind?: "primary" | "normal" | "plain";
  readonly size?: "normal" | "small";
};

/** A button; `type="button"` unless told otherwise. */
export function Button({ kind = "normal", size = "normal", type = "button", ...rest }: ButtonProps) {
  return <button {...rest} type={type} className="button" data-kind={kind} data-size={size} />;
}
