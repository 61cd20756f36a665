/** Above the timeline: filter, fold, and whether waiting is squeezed. */
import { getRouteApi, Link } from "@tanstack/react-router";
import { useId, type ReactElement, type Ref } from "react";
import { Button } from "../../ui/button.tsx";
import { Icon } from "../../ui/icon.tsx";

const route = getRouteApi("/runs/$runId");

interface Props {
  readonly filter: string;
  readonly onFilter: (text: string) => void;
  readonly fieldRef: Ref<HTMLInputElement>;
  readonly hasGaps: boolean;
  readonly foldable: boolean;
  readonly isFolded: boolean;
  readonly onFold: (fold: boolean) => void;
}

export function TimelineTools(props: Props): ReactElement {
  const { filter, onFilter, fieldRef, hasGaps, foldable, isFolded, onFold } = props;
  const id = useId();
  return (
    <div className="timeline-tools">
      <div className="search-field">
        <Icon name="search" size={14} />
        <label className="visually-hidden" htmlFor={id}>
          Filter the steps
        </label>
        <input
          id={id}
          ref={fieldRef}
          type="search"
          className="input"
          placeholder="Filter steps, tools, resources"
          value={filter}
          onChange={(event) => onFilter(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === "Escape") event.currentTarget.blur();
          }}
        />
      </div>
      {foldable && (
        <Button look="plain" icon={isFolded ? "down" : "right"} onClick={() => onFold(!isFolded)}>
          {isFolded ? "Unfold all" : "Fold all"}
        </Button>
      )}
      {hasGaps && <ScaleChoice />}
    </div>
  );
}

function ScaleChoice(): ReactElement {
  const { runId } = route.useParams();
  const { scale, ...rest } = route.useSearch();
  return (
    <nav className="pills timeline-scale" aria-label="Time axis">
      <Link
        className="pill"
        to="/runs/$runId"
        params={{ runId }}
        search={rest}
        replace
        resetScroll={false}
        activeOptions={{ exact: true }}
        aria-current={scale === undefined ? "page" : undefined}
        title="Long waits take a little of the width, work takes the rest"
      >
        Squeeze waiting
      </Link>
      <Link
        className="pill"
        to="/runs/$runId"
        params={{ runId }}
        search={{ ...rest, scale: "real" }}
        replace
        resetScroll={false}
        activeOptions={{ exact: true }}
        aria-current={scale === "real" ? "page" : undefined}
      >
        Real time
      </Link>
    </nav>
  );
}
