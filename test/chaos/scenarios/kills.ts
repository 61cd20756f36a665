/** kill -9 at any moment, from the first instruction on, also inside tools. */
import { killRounds } from "../kill-rounds.ts";
import type { Scenario } from "../scenario.ts";

export const kills: Scenario = {
  name: "kills",
  about: "kill -9 of one server at random moments, while it starts and in the middle of tools",
  needs: [],
  breaks: ["kills", "charges"],
  async run({ random, scale, say }) {
    const seed = Math.floor(random() * 2 ** 31);
    const { violations, ...figures } = await killRounds({ kills: 25 * scale, seed, say });
    return { violations, figures };
  },
};
