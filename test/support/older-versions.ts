/** Whether `npm run test:peers` runs on what it is to run on: tests whose imports went elsewhere would pass all the same. */
import tanstack from "@tanstack/react-query/package.json" with { type: "json" };
import ioredis from "ioredis/package.json" with { type: "json" };
import { version as react } from "react";
import { version as reactDom } from "react-dom";
import redis from "redis/package.json" with { type: "json" };
import { expect, it } from "vitest";
import zustand from "zustand/package.json" with { type: "json" };
import peers from "../../peers/package.json" with { type: "json" };

it("these tests run on the older versions", () => {
  expect(peers.dependencies).toMatchObject({
    "@tanstack/react-query": tanstack.version,
    ioredis: ioredis.version,
    react,
    "react-dom": reactDom,
    redis: redis.version,
    zustand: zustand.version,
  });
});
