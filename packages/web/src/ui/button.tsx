/** The one button: four looks, an optional icon, a busy state that keeps its width. */
import type { ButtonHTMLAttributes, ReactElement, ReactNode, Ref } from "react";
import { Icon, type IconName } from "./icon.tsx";

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  readonly look?: "primary" | "danger" | "plain";
  readonly size?: "large";
  readonly icon?: IconName;
  readonly busy?: boolean;
  readonly ref?: Ref<HTMLButtonElement>;
  readonly children: ReactNode;
}

export function Button({ look, size, icon, busy, children, disabled, ...rest }: ButtonProps): ReactElement {
  return (
    <button
      type="button"
      className="button"
      data-look={look}
      data-size={size}
      aria-busy={busy}
      disabled={disabled === true || busy === true}
      {...rest}
    >
      {icon !== undefined && <Icon name={busy === true ? "retry" : icon} size={14} />}
      {children}
    </button>
  );
}

interface IconButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  readonly icon: IconName;
  /** Read out and shown on hover. */
  readonly label: string;
  readonly size?: never;
}

export function IconButton({ icon, label, ...rest }: IconButtonProps): ReactElement {
  return (
    <button type="button" className="icon-button" aria-label={label} title={label} {...rest}>
      <Icon name={icon} size={15} />
    </button>
  );
}
