{# Rank of a role, 0 for the most permissive: the order of the directory's roles. #}
{% macro role_rank(role) -%}
    case {{ role }}
        when 'organization_admin' then 0
        when 'admin' then 1
        when 'editor' then 2
        when 'launcher' then 3
        when 'viewer' then 4
    end
{%- endmacro %}

{# Whether a role gives access to others. #}
{% macro is_privileged(role) -%}
    {{ role }} in ('organization_admin', 'admin')
{%- endmacro %}
