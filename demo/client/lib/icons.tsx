/** The few icons of the page; all are decoration beside a name. */
import type { ReactElement, ReactNode } from "react";

function Icon({ children }: { readonly children: ReactNode }): ReactElement {
  return (
    <svg
      className="icon"
      viewBox="0 0 20 20"
      width="20"
      height="20"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.6"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      {children}
    </svg>
  );
}

export const SendIcon = (): ReactElement => (
  <Icon>
    <path d="M10 16V4.5M5 9l5-4.8L15 9" />
  </Icon>
);

export const StopIcon = (): ReactElement => (
  <Icon>
    <rect x="5.5" y="5.5" width="9" height="9" rx="1.6" fill="currentColor" />
  </Icon>
);

export const DownIcon = (): ReactElement => (
  <Icon>
    <path d="M10 4v11.5M5 11l5 4.8 5-4.8" />
  </Icon>
);

export const ReloadIcon = (): ReactElement => (
  <Icon>
    <path d="M15.5 10a5.5 5.5 0 1 1-1.7-4M15.8 3.2v3.2h-3.2" />
  </Icon>
);

export const CutIcon = (): ReactElement => (
  <Icon>
    <path d="M2.5 10h4.2M13.3 10h4.2M8.2 6.2l-.8-2.4M11.8 6.2l.8-2.4M8.2 13.8l-.8 2.4M11.8 13.8l.8 2.4" />
  </Icon>
);

export const JoinIcon = (): ReactElement => (
  <Icon>
    <path d="M2.5 12.5H7c4 0 2-5 6-5h4.5" />
  </Icon>
);

export const ChevronIcon = (): ReactElement => (
  <Icon>
    <path d="m6 8 4 4.2L14 8" />
  </Icon>
);

/** A line that was broken and is joined. */
export const Logo = (): ReactElement => (
  <svg
    className="logo"
    viewBox="0 0 32 32"
    width="28"
    height="28"
    fill="none"
    strokeLinecap="round"
    aria-hidden="true"
  >
    <path d="M3 20.5h10" stroke="currentColor" strokeWidth="3.6" />
    <path d="M19 11.5h10" stroke="currentColor" strokeWidth="3.6" />
    <path className="logo-join" d="M13 20.5c5 0 1-9 6-9" strokeWidth="3.6" />
  </svg>
);
