import { type ReactNode, useId, useRef, useState } from "react";

const GAP = 6;
const EDGE = 16;

type Place = { readonly left: number; readonly top: number };

/** A word that explains itself when it is pointed at, focused or tapped; Escape closes the explanation. */
export function Hint({ text, children }: { readonly text: string; readonly children: ReactNode }) {
  const id = useId();
  const anchor = useRef<HTMLButtonElement>(null);
  const bubble = useRef<HTMLSpanElement>(null);
  const [place, setPlace] = useState<Place>();
  const show = (): void => {
    const box = anchor.current?.getBoundingClientRect();
    if (box === undefined) return;
    setPlace({ left: box.left, top: box.bottom + GAP });
    requestAnimationFrame(() => {
      const size = bubble.current?.getBoundingClientRect();
      if (size === undefined) return;
      const isBelow = box.bottom + GAP + size.height < innerHeight;
      setPlace({
        left: Math.max(EDGE, Math.min(box.left, innerWidth - size.width - EDGE)),
        top: isBelow ? box.bottom + GAP : box.top - GAP - size.height,
      });
    });
  };
  const hide = (): void => setPlace(undefined);
  return (
    <>
      <button
        ref={anchor}
        type="button"
        className="hint"
        aria-describedby={place === undefined ? undefined : id}
        onPointerEnter={show}
        onPointerLeave={hide}
        onFocus={show}
        onBlur={hide}
        onClick={show}
        onKeyDown={({ key }) => {
          if (key === "Escape") hide();
        }}
      >
        {children}
      </button>
      {place === undefined ? null : (
        <span ref={bubble} id={id} role="tooltip" className="hint-bubble" style={place}>
          {text}
        </span>
      )}
    </>
  );
}
