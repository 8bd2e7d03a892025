-- +goose Up
CREATE TABLE projects (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization text NOT NULL,
    name         text NOT NULL,
    -- Checked at commit: so the tests see what is left of a transaction that did all its work in vain.
    UNIQUE (organization, name) DEFERRABLE INITIALLY DEFERRED
);
