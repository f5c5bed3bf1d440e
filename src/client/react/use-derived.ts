"use client";
import { useMemo } from "react";

/** What is derived from inputs: the same until one of them changes. */
export function useDerived<TInputs extends readonly unknown[], TDerived>(
  derive: (...inputs: TInputs) => TDerived,
  ...inputs: TInputs
): TDerived {
  // oxlint-disable-next-line react/exhaustive-deps -- The inputs are the dependencies.
  return useMemo(() => derive(...inputs), inputs);
}
